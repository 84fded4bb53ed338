#include "attention/attention.h"

const char *attn_status_text(AttnStatus status)
{
    static const char *const texts[] = {
#define ATTN_STATUS_TEXT(name, text) text,
        ATTN_STATUS_CODES(ATTN_STATUS_TEXT)
#undef ATTN_STATUS_TEXT
    };
    return (unsigned)status < ATTN_STATUS_COUNT ? texts[status] : "unknown status";
}
