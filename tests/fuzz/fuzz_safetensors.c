#include "fuzz.h"

#include "touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    return touch_tensor_file(data, n_bytes);
}
