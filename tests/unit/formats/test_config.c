#include "testing.h"

#include "formats/config.h"

static const char text[] =
    "{\"architectures\":[\"X\"],\"model_type\":\"gemma3\",\"n_head\":12,\"theta\":1e4,"
    "\"bias\":true,\"nothing\":null,\"vocab_size\":7,\"name\":5,\"half\":1.5,"
    "\"text_config\":{\"vocab_size\":9,\"hidden_size\":640}}";

static void test_config_get__text_config_first(void **state)
{
    (void)state;
    Config config;
    Error err = {0};
    assert_ok(config_open_memory(&config, "config.json", text, sizeof text - 1, &err), err);
    int64_t v;
    assert_ok(config_get_int(&config, "vocab_size", 1, 100, 0, &v, &err), err);
    assert_int_equal(v, 9);
    assert_ok(config_get_int(&config, "num_attention_heads|n_head", 1, 100, 0, &v, &err), err);
    assert_int_equal(v, 12);
    assert_ok(config_get_int(&config, "nothing|absent", 1, 100, 42, &v, &err), err);
    assert_int_equal(v, 42);
    double d;
    assert_ok(config_get_number(&config, "theta", 1, 1e6, 0, &d, &err), err);
    assert_true(d == 1e4);
    bool b;
    assert_ok(config_get_bool(&config, "bias", false, &b, &err), err);
    assert_true(b);
    assert_ok(config_get_bool(&config, "absent", true, &b, &err), err);
    assert_true(b);
    const char *s;
    assert_ok(config_get_string(&config, "model_type", NULL, &s, &err), err);
    assert_string_equal(s, "gemma3");
    assert_ok(config_get_string(&config, "absent", "x", &s, &err), err);
    assert_string_equal(s, "x");
    assert_true(cJSON_IsArray(config_get(&config, "architectures")));
    assert_null(config_get(&config, "nothing"));
    config_close(&config);
    config_close(&config);
}

static void test_config_get__wrong_values(void **state)
{
    (void)state;
    Config config;
    Error err = {0};
    assert_ok(config_open_memory(&config, "dir/config.json", text, sizeof text - 1, &err), err);
    int64_t v;
    double d;
    bool b;
    const char *s;
    assert_false(config_get_int(&config, "num_attention_heads|n_head", 1, 8, 0, &v, &err));
    assert_non_null(
        strstr(err.message, "dir/config.json: \"n_head\" must be a whole number from 1 to 8"));
    assert_false(config_get_int(&config, "half", 0, 9, 0, &v, &err));
    assert_false(config_get_int(&config, "bias", 0, 9, 0, &v, &err));
    assert_false(config_get_number(&config, "theta", 0, 1, 0, &d, &err));
    assert_false(config_get_number(&config, "model_type", 0, 1, 0, &d, &err));
    assert_false(config_get_bool(&config, "n_head", false, &b, &err));
    assert_false(config_get_string(&config, "name", NULL, &s, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    config_close(&config);
}

static void test_config_open__refuses(void **state)
{
    (void)state;
    Config config;
    Error err = {0};
    assert_false(config_open_memory(&config, "c.json", "[1]", 3, &err));
    assert_non_null(strstr(err.message, "c.json is not a JSON object"));
    assert_false(config_open_memory(&config, "c.json", "{\"a\":", 5, &err));
    assert_false(config_open_memory(&config, "c.json", "", 0, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_false(config_open(&config, "tests", &err));
    assert_non_null(strstr(err.message, "tests has no config.json"));
    assert_false(config_open(&config, "/nowhere", &err));
    assert_int_equal(err.code, ERR_IO);
    config_close(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_get__text_config_first),
        cmocka_unit_test(test_config_get__wrong_values),
        cmocka_unit_test(test_config_open__refuses),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
