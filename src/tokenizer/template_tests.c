#include "tokenizer/template.h"

#include <string.h>

typedef enum Test {
    TEST_DEFINED,
    TEST_UNDEFINED,
    TEST_NONE,
    TEST_STRING,
    TEST_NUMBER,
    TEST_INTEGER,
    TEST_FLOAT,
    TEST_BOOLEAN,
    TEST_TRUE,
    TEST_FALSE,
    TEST_MAPPING,
    TEST_SEQUENCE,
    TEST_ITERABLE,
    TEST_CALLABLE,
    TEST_ODD,
    TEST_EVEN,
    TEST_DIVISIBLE,
    TEST_EQUAL,
    TEST_UNEQUAL,
    TEST_IN,
    TEST_LESS,
    TEST_MORE,
    TEST_AT_MOST,
    TEST_AT_LEAST
} Test;

static const struct {
    const char *name;
    Test test;
} TESTS[] = {
    {"defined", TEST_DEFINED},
    {"undefined", TEST_UNDEFINED},
    {"none", TEST_NONE},
    {"string", TEST_STRING},
    {"number", TEST_NUMBER},
    {"integer", TEST_INTEGER},
    {"float", TEST_FLOAT},
    {"boolean", TEST_BOOLEAN},
    {"true", TEST_TRUE},
    {"false", TEST_FALSE},
    {"mapping", TEST_MAPPING},
    {"sequence", TEST_SEQUENCE},
    {"iterable", TEST_ITERABLE},
    {"callable", TEST_CALLABLE},
    {"odd", TEST_ODD},
    {"even", TEST_EVEN},
    {"divisibleby", TEST_DIVISIBLE},
    {"equalto", TEST_EQUAL},
    {"==", TEST_EQUAL},
    {"eq", TEST_EQUAL},
    {"ne", TEST_UNEQUAL},
    {"!=", TEST_UNEQUAL},
    {"in", TEST_IN},
    {"lt", TEST_LESS},
    {"<", TEST_LESS},
    {"gt", TEST_MORE},
    {">", TEST_MORE},
    {"le", TEST_AT_MOST},
    {"<=", TEST_AT_MOST},
    {"ge", TEST_AT_LEAST},
    {">=", TEST_AT_LEAST},
};

/** Tests that look at nothing but the value. */
static bool test_kind(const Value *in, Test test)
{
    double ignored;
    bool has_items = in->kind == VALUE_LIST || in->kind == VALUE_DICT || in->kind == VALUE_STRING ||
                     in->kind == VALUE_UNDEFINED;
    switch (test) {
    case TEST_DEFINED:
        return in->kind != VALUE_UNDEFINED;
    case TEST_UNDEFINED:
        return in->kind == VALUE_UNDEFINED;
    case TEST_NONE:
        return in->kind == VALUE_NONE;
    case TEST_STRING:
        return in->kind == VALUE_STRING;
    case TEST_NUMBER:
        return value_number(in, &ignored);
    case TEST_INTEGER:
        return in->kind == VALUE_INT;
    case TEST_FLOAT:
        return in->kind == VALUE_FLOAT;
    case TEST_BOOLEAN:
        return in->kind == VALUE_BOOL;
    case TEST_TRUE:
        return in->kind == VALUE_BOOL && in->truth;
    case TEST_FALSE:
        return in->kind == VALUE_BOOL && !in->truth;
    case TEST_MAPPING:
        return in->kind == VALUE_DICT;
    case TEST_CALLABLE:
        return in->kind == VALUE_FUNCTION || in->kind == VALUE_METHOD || in->kind == VALUE_MACRO;
    default:
        return has_items;
    }
}

static bool test_number(TemplateRun *run, const Value *in, Test test, const Value *by, bool *out)
{
    Value divisor = test == TEST_DIVISIBLE && by ? *by : value_int(2);
    if (in->kind != VALUE_INT || divisor.kind != VALUE_INT || divisor.integer == 0) {
        return template_fail(run, ERR_FORMAT, "a division of %s in a test", value_kind_name(in));
    }
    bool divides = divisor.integer == -1 || in->integer % divisor.integer == 0;
    *out = test == TEST_ODD ? !divides : divides;
    return true;
}

static bool test_other(TemplateRun *run, const Value *in, Test test, const Value *other, bool *out)
{
    int order = 0;
    if (!other) {
        return template_fail(run, ERR_FORMAT, "a test that needs a value");
    }
    if (test == TEST_EQUAL || test == TEST_UNEQUAL) {
        *out = value_equals(run, in, other) == (test == TEST_EQUAL);
        return template_step(run, 1);
    }
    if (test == TEST_IN) {
        return template_contains(run, in, other, out);
    }
    if (!template_step(run, value_compare_cost(in, other))) {
        return false;
    }
    if (!value_compare(in, other, &order)) {
        return template_fail(run, ERR_FORMAT, "%s compared with %s", value_kind_name(in),
                             value_kind_name(other));
    }
    *out = test == TEST_LESS      ? order < 0
           : test == TEST_MORE    ? order > 0
           : test == TEST_AT_MOST ? order <= 0
                                  : order >= 0;
    return true;
}

bool template_test(TemplateRun *run, const char *name, const Value *in,
                   const TemplateArguments *args, bool *out)
{
    for (size_t i = 0; i < AS_COUNT(TESTS); i++) {
        Test test = TESTS[i].test;
        if (strcmp(TESTS[i].name, name) != 0) {
            continue;
        }
        if (test < TEST_ODD) {
            *out = test_kind(in, test);
            return true;
        }
        const Value *other = template_argument(args, 0, "");
        return test <= TEST_DIVISIBLE ? test_number(run, in, test, other, out)
                                      : test_other(run, in, test, other, out);
    }
    return template_fail(run, ERR_UNSUPPORTED, "the test \"%.40s\" is not known", name);
}
