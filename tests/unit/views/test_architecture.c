/* The diagram says what the model is: shapes, counts, layers; its blocks lead somewhere. */
#include "views_case.h"

#include "model/describe.h"

#include <stdio.h>

static const char TEXT[] = "one two three four five";

static void open_architecture(ViewsCase *c, const char *model)
{
    views_case_open(c, model, TEXT);
    views_case_do(c, "view architecture");
    views_case_frame(c, 1440, 900, 1);
}

static void test_architecture__shapes(void **state)
{
    (void)state;
    static const char *const models[] = {"tiny", "random:L=3,H=4,G=2,d=64",
                                         "random:L=2,H=4,d=64,arch=gpt2"};
    for (size_t i = 0; i < AS_COUNT(models); i++) {
        ViewsCase c;
        ModelHalf halves[2];
        int n;
        char text[96];
        open_architecture(&c, models[i]);
        assert_true(model_describe(session_model(c.session), halves, &n));
        const ModelHalf *h = &halves[0];
        const ModelBlockKind kinds[] = {MODEL_BLOCK_TOKENS, MODEL_BLOCK_Q, MODEL_BLOCK_K,
                                        MODEL_BLOCK_O};
        for (size_t k = 0; k < AS_COUNT(kinds); k++) {
            const ModelBlock *b = &h->blocks[kinds[k]];
            snprintf(text, sizeof text, "%lld × %lld", (long long)b->rows, (long long)b->columns);
            assert_true(says(&c, text));
        }
        snprintf(text, sizeof text, "%d → %d → %d", h->width, h->mlp_width, h->width);
        assert_true(says(&c, text));
        char exact[32];
        assert_true(says(&c, format_count(model_info(session_model(c.session))->n_params, exact)));
        for (int32_t layer = 0; layer < h->n_layers; layer++) {
            snprintf(text, sizeof text, "layer %d", layer);
            assert_non_null(find_text(&c, text));
        }
        views_case_close(&c);
    }
}

/* The step of the course goes with the person from Steps to here and back. */
static void test_architecture__in_step(void **state)
{
    (void)state;
    ViewsCase c;
    open_architecture(&c, "tiny");
    views_case_do(&c, "step 5");
    views_case_do(&c, "view steps");
    assert_int_equal(c.session->selection.step, 5);
    views_case_do(&c, "view architecture");
    assert_int_equal(c.session->selection.step, 5);
    views_case_frame(&c, 1440, 900, 1);
    assert_non_null(find_text(&c, "Softmax"));
    views_case_do(&c, "view matrix");
    views_case_do(&c, "view architecture");
    assert_int_equal(c.session->selection.step, 0);
    views_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_architecture__shapes),
        cmocka_unit_test(test_architecture__in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
