/* Where chat templates come from, and that a hostile one ends soon with a clear line. What they
 * give is compared with transformers in tests/golden/test_chat.c. */
#include "helpers.h"

#include <time.h>

#include "tokenizer/chat.h"

#define MODEL                                                                                      \
    "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"<unk>\":0,\"a\":1},\"unk_token\":\"<unk>\"}}"

static Tokenizer *open_with(const char *config, const char *chat_template, Error *err)
{
    TokenizerJson desc = {.json = MODEL,
                          .n_json = strlen(MODEL),
                          .config = config,
                          .n_config = config ? strlen(config) : 0,
                          .chat_template = chat_template,
                          .n_chat_template = chat_template ? strlen(chat_template) : 0};
    return tokenizer_open_json(&desc, NULL, err);
}

static void test_tokenizer_wrap_chat__where_it_comes_from(void **state)
{
    (void)state;
    static const struct {
        const char *config, *chat_template, *system, *expected;
    } cases[] = {
        {"{\"chat_template\":\"{{ messages[0].content }}!\"}", NULL, NULL, "hi!"},
        {"{\"chat_template\":\"{{ bos_token }}|{{ eos_token }}|\",\"bos_token\":\"<s>\","
         "\"eos_token\":{\"content\":\"</s>\"}}",
         NULL, NULL, "<s>|</s>|"},
        {"{\"chat_template\":[{\"name\":\"tool_use\",\"template\":\"no\"},{\"name\":\"default\","
         "\"template\":\"yes\"}]}",
         NULL, NULL, "yes"},
        {"{\"chat_template\":[{\"name\":\"rag\",\"template\":\"first\"}]}", NULL, NULL, "first"},
        {"{\"chat_template\":\"no\"}", "{{ 'file' }}", NULL, "file"},
        {NULL, "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}", "be brief",
         "system:be brief;user:hi;"},
        {NULL, "{{ add_generation_prompt }}{{ tools }}{{ bos_token }}", NULL, "TrueNone"},
        {NULL, "{{ 9223372036854775807|abs }} {{ (-9007199254740993)|abs }} {{ true|abs }}", NULL,
         "9223372036854775807 9007199254740993 1"},
        {NULL, "", NULL, ""},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        Arena arena = {0};
        size_t n;
        Tokenizer *t = open_with(cases[i].config, cases[i].chat_template, &err);
        assert_ok(t, err);
        assert_non_null(tokenizer_chat_template(t));
        char *text = tokenizer_wrap_chat(t, "hi", 2, cases[i].system, &arena, &n, &err);
        assert_ok(text, err);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(n, strlen(cases[i].expected));
        tokenizer_close(&t);
        arena_destroy(&arena);
    }
}

static void test_tokenizer_wrap_chat__no_template(void **state)
{
    (void)state;
    static const char *const configs[] = {NULL,
                                          "{}",
                                          "{\"chat_template\":null}",
                                          "{\"chat_template\":[]}",
                                          "{\"chat_template\":[{}]}",
                                          "{\"chat_template\":3}"};
    for (size_t i = 0; i < AS_COUNT(configs); i++) {
        Error err = {0};
        Arena arena = {0};
        size_t n;
        Tokenizer *t = open_with(configs[i], NULL, &err);
        assert_ok(t, err);
        assert_null(tokenizer_chat_template(t));
        assert_null(tokenizer_wrap_chat(t, "hi", 2, NULL, &arena, &n, &err));
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, "no chat template"));
        assert_null(strchr(err.message, '\n'));
        tokenizer_close(&t);
        arena_destroy(&arena);
    }
}

static ErrorCode run(const char *source, size_t n, char *message)
{
    Error err = {0};
    Arena arena = {0};
    size_t n_out;
    ChatMessage message_of_user = {"user", "hi", 2};
    ChatDesc desc = {
        .source = source, .n_source = n, .messages = &message_of_user, .n_messages = 1};
    char *text = chat_render(&desc, &arena, &n_out, &err);
    if (message) {
        memcpy(message, err.message, sizeof err.message);
    }
    ErrorCode code = text ? ERR_NONE : err.code;
    arena_destroy(&arena);
    return code;
}

static void test_chat_render__limits(void **state)
{
    (void)state;
    /* Each would run for ever, or take all memory, if nothing counted. */
#define LONG_TEXT                                                                                  \
    "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(20) %}"                               \
    "{% set ns.s = ns.s + ns.s %}{% endfor %}{% set a = ns.s[1:] %}{% set b = ns.s[:-1] %}"        \
    "{% set d = {a: 1} %}{% for i in range(999) %}{% for k in range(999) %}"
    static const char *const hostile[] = {
        LONG_TEXT "{% if a == b %}{% endif %}{% endfor %}{% endfor %}",
        LONG_TEXT "{% if a < b %}{% endif %}{% endfor %}{% endfor %}",
        LONG_TEXT "{% if a.startswith(b) %}{% endif %}{% endfor %}{% endfor %}",
        LONG_TEXT "{% if d[b] %}{% endif %}{% endfor %}{% endfor %}",
        "{% for i in range(1000000000) %}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000000 }}",
        "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}"
        "{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}"
        "{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns|tojson }}",
        "{% set ns = namespace(a=1) %}{% for i in range(1000000) %}{% set ns.a = [ns.a] %}"
        "{% endfor %}{{ ns.a }}",
        "{{ 9223372036854775807 + 1 }}",
        "{% set ns = namespace(a=[1], b=[1]) %}{% for i in range(30) %}"
        "{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% endfor %}{{ ns.a == ns.b }}",
    };
    for (size_t i = 0; i < AS_COUNT(hostile); i++) {
        char message[sizeof((Error){0}).message];
        clock_t before = clock();
        ErrorCode code = run(hostile[i], strlen(hostile[i]), message);
        double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        if (code != ERR_RANGE || !strstr(message, "chat template: line 1: ") || seconds > 20) {
            print_error("%s: code %d after %.1f s, %s\n", hostile[i], (int)code, seconds, message);
            fail();
        }
    }
}

static void test_chat_render__deep(void **state)
{
    (void)state;
    static const struct {
        const char *open, *middle, *close;
    } shapes[] = {{"{{ ", "1", " }}"},
                  {"(", "1", ")"},
                  {"[", "1", "]"},
                  {"not ", "1", ""},
                  {"-", "1", ""},
                  {"{% if 1 %}", "x", "{% endif %}"},
                  {"{% for i in [1] %}", "x", "{% endfor %}"},
                  {"{% if 0 %}{% elif 1 %}", "x", "{% endif %}"},
                  {"1 if ", "1", " else 2"},
                  {"x.", "x", ""},
                  {"x|", "upper", ""},
                  {"2 ** ", "2", ""}};
    for (size_t i = 0; i < AS_COUNT(shapes); i++) {
        Error err = {0};
        StrBuf text = {0};
        bool is_tag = shapes[i].open[0] == '{' && shapes[i].open[1] == '%';
        bool ok = is_tag || strbuf_puts(&text, "{{ ", &err);
        for (int k = 0; k < 20000 && ok; k++) {
            ok = strbuf_puts(&text, shapes[i].open, &err);
        }
        ok = ok && strbuf_puts(&text, shapes[i].middle, &err);
        for (int k = 0; k < 20000 && ok && shapes[i].close[0]; k++) {
            ok = strbuf_puts(&text, shapes[i].close, &err);
        }
        assert_ok(ok && (is_tag || strbuf_puts(&text, " }}", &err)), err);
        /* It may be refused or mean something; it must come back. */
        (void)run(strbuf_text(&text), text.n, NULL);
        strbuf_free(&text);
    }
}

static void test_chat_render__errors_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *source, *says;
        ErrorCode code;
    } cases[] = {
        {"a\n{{ 'x' + 1 }}", "line 2: a text + a number", ERR_FORMAT},
        {"\n\n{% if %}", "line 3: a value expected", ERR_FORMAT},
        {"{{ raise_exception('take turns') }}", "line 1: the template refuses: take turns",
         ERR_FORMAT},
        {"x\n{% nosuch %}", "line 2: if, for, set", ERR_FORMAT},
        {"{{ 1|nosuch }}", "filter \"nosuch\"", ERR_UNSUPPORTED},
        {"\xFF", "not UTF-8", ERR_FORMAT},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        char message[sizeof((Error){0}).message];
        assert_int_equal(run(cases[i].source, strlen(cases[i].source), message), cases[i].code);
        if (!strstr(message, cases[i].says)) {
            print_error("%s: %s\n", cases[i].says, message);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenizer_wrap_chat__where_it_comes_from),
        cmocka_unit_test(test_tokenizer_wrap_chat__no_template),
        cmocka_unit_test(test_chat_render__limits),
        cmocka_unit_test(test_chat_render__deep),
        cmocka_unit_test(test_chat_render__errors_name_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
