#include "fuzz.h"

#include "formats/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    Config config;
    Error err = {0};
    if (!config_open_memory(&config, "fuzzed", (const char *)data, n_bytes, &err)) {
        return 0;
    }
    int64_t i;
    double d;
    bool b;
    const char *s;
    (void)!config_get_int(&config, "hidden_size|n_embd", 1, 1 << 20, 0, &i, &err);
    (void)!config_get_int(&config, "vocab_size", INT64_MIN, INT64_MAX, 0, &i, &err);
    (void)!config_get_number(&config, "rope_theta", 0, 1e9, 1e4, &d, &err);
    (void)!config_get_bool(&config, "attention_bias", false, &b, &err);
    (void)!config_get_string(&config, "model_type", "", &s, &err);
    config_close(&config);
    return 0;
}
