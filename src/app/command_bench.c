/* bench: attention against the machine's peak. */
#include "app/cli.h"

bool command_bench(App *app, Error *err)
{
    (void)app;
    return error_set(err, ERR_UNSUPPORTED, "bench is not built yet");
}
