/* Encoder-decoders and pictures in a session: the embedded `translate` and a golden checkpoint. */
#include "session_case.h"

#include "base/arena.h"
#include "session/run_input.h"

static const char TEXT[] = "the agreement was signed in august 1992 .";

static void test_session_select_stack__by_command(void **state)
{
    (void)state;
    Session *s = session_on("translate", TEXT);
    TraceStack stacks[TRACE_STACK_COUNT];
    char label[TOKEN_LABEL_MAX];
    assert_int_equal(session_stacks(s, stacks), 3);
    assert_int_equal(stacks[0], TRACE_STACK_ENCODER);
    /* cross attention first: target tokens look at source tokens */
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_CROSS);
    assert_string_equal(session_key_label(s, 1, label), "agreement");
    assert_string_equal(session_source(s, NULL), TEXT);
    assert_int_equal(trace_tokens(s->trace)[0].id, model_info(session_model(s))->start_token);
    const uint64_t version = s->trace_version;
    does(s, "layer 1");
    does(s, "stack encoder");
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_ENCODER);
    assert_true(s->trace_version > version);
    assert_int_equal(s->selection.layer, 1);
    assert_string_equal(session_label(s, 1, label), "agreement");
    assert_string_equal(session_key_label(s, 1, label), "agreement");
    does(s, "stack");
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_DECODER);
    assert_string_equal(session_source(s, NULL), TEXT);
    does(s, "undo");
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_ENCODER);
    does(s, "stack self");
    assert_non_null(strstr(s->note, "no self attention"));
    session_destroy(&s);
}

static void test_session_request__keeps_the_stack(void **state)
{
    (void)state;
    Session *s = session_on("translate", TEXT);
    does(s, "stack decoder");
    does(s, "temperature 2");
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_DECODER);
    const int32_t written = trace_info(s->trace)->n_queries;
    does(s, "target la zone");
    assert_int_equal(trace_info(s->trace)->n_queries, 3); /* the start before two words */
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_DECODER);
    does(s, "target");
    assert_int_equal(trace_info(s->trace)->n_queries, written);
    does(s, "model tiny"); /* one stack, and no target */
    assert_int_equal(s->error.code, ERR_NONE);
    assert_int_equal(trace_info(s->trace)->stack, TRACE_STACK_SELF);
    TraceStack stacks[TRACE_STACK_COUNT];
    assert_int_equal(session_stacks(s, stacks), 1);
    session_destroy(&s);
}

static void test_run_input_read__a_target_is_shifted(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    Model *model = model_open(&(ModelDesc){.spec = "translate"}, &err);
    assert_ok(model, err);
    Tokenizer *tokenizer = text_open_tokenizer(model, NULL, &err);
    assert_ok(tokenizer, err);
    const int32_t start = model_info(model)->start_token, end = model_info(model)->end_token;
    const int32_t ids[] = {5, 6, end}, begun[] = {start, 5};
    const struct {
        TextRequest target;
        size_t n;
        int32_t last;
    } rows[] = {
        {{.text = "la zone", .n_text = 7}, 3, -1}, /* its end is predicted, not read */
        {{.ids = ids, .n_ids = 3}, 4, end},          /* ids are taken as they are */
        {{.ids = begun, .n_ids = 2}, 2, 5},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        RunInput input;
        const RunInputDesc desc = {.model = model,
                                   .tokenizer = tokenizer,
                                   .text = {.text = TEXT, .n_text = strlen(TEXT)},
                                   .target = rows[i].target};
        assert_ok(run_input_read(&desc, &arena, &input, &err), err);
        assert_int_equal(input.target.n, rows[i].n);
        assert_int_equal(input.target.tokens[0].id, start);
        const int32_t last = input.target.tokens[rows[i].n - 1].id;
        assert_true(rows[i].last < 0 ? last != end : last == rows[i].last);
    }
    RunInput input;
    const int32_t unknown = 1 << 20;
    RunInputDesc bad = {.model = model,
                        .tokenizer = tokenizer,
                        .text = {.text = TEXT, .n_text = strlen(TEXT)},
                        .target = {.ids = &unknown, .n_ids = 1}};
    assert_false(run_input_read(&bad, &arena, &input, &err));
    assert_int_equal(err.code, ERR_RANGE);
    bad.image_path = "picture.png";
    assert_false(run_input_read(&bad, &arena, &input, &err));
    assert_int_equal(err.code, ERR_USAGE);
    arena_destroy(&arena);
    tokenizer_close(&tokenizer);
    model_close(&model);
}

static void test_session_request__a_picture(void **state)
{
    (void)state;
    Error err = {0};
    Session *s = session_create(&(SessionDesc){0}, &err);
    assert_ok(s, err);
    const SessionRequest request = {.model = "tests/golden/data/arch_vit",
                                    .image_path = "tests/golden/data/arch_vit/picture.png"};
    assert_ok(session_request(s, &request, &err), err);
    session_settle(s);
    char label[TOKEN_LABEL_MAX];
    assert_int_equal(s->error.code, ERR_NONE);
    assert_int_equal(trace_info(s->trace)->n_queries, 17);
    assert_string_equal(session_label(s, 0, label), "[CLS]");
    assert_string_equal(session_label(s, 7, label), "[r1 c2]");
    assert_non_null(trace_image(s->trace));
    does(s, "open tests/golden/data/arch_vit_plain/picture.png");
    assert_int_equal(s->error.code, ERR_NONE);
    does(s, "text no picture");
    assert_int_equal(s->error.code, ERR_USAGE);
    assert_int_equal(trace_info(s->trace)->n_queries, 17);
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_select_stack__by_command),
        cmocka_unit_test(test_session_request__keeps_the_stack),
        cmocka_unit_test(test_run_input_read__a_target_is_shifted),
        cmocka_unit_test(test_session_request__a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
