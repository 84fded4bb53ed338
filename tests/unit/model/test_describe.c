/* What a model is described as is what its files hold. */
#include "testing.h"

#include "model/describe.h"

#include <math.h>

static Model *open_model(const char *spec)
{
    Error err = {0};
    Model *model = model_open(&(ModelDesc){.spec = spec}, &err);
    assert_ok(model, err);
    return model;
}

static void test_model_describe__params_are_all(void **state)
{
    (void)state;
    static const char *const specs[] = {"tiny", "random:L=3,H=4,d=64,seed=1",
                                        "random:L=2,H=4,G=2,d=64", "hash:L=2,H=2,d=32,arch=gpt2"};
    for (size_t i = 0; i < AS_COUNT(specs); i++) {
        Model *model = open_model(specs[i]);
        ModelHalf halves[2];
        int n;
        assert_true(model_describe(model, halves, &n));
        assert_int_equal(n, 1);
        if (halves[0].n_params != model_info(model)->n_params) {
            print_error("%s: %llu described, %llu held\n", specs[i],
                        (unsigned long long)halves[0].n_params,
                        (unsigned long long)model_info(model)->n_params);
            fail();
        }
        const ModelHalf *h = &halves[0];
        assert_true(h->blocks[MODEL_BLOCK_Q].present && h->blocks[MODEL_BLOCK_DOWN].present);
        assert_int_equal(h->blocks[MODEL_BLOCK_Q].rows, h->n_heads * h->head_width);
        assert_int_equal(h->blocks[MODEL_BLOCK_K].rows, h->n_kv_heads * h->head_width);
        assert_int_equal(h->blocks[MODEL_BLOCK_O].columns, h->n_heads * h->head_width);
        assert_int_equal(h->blocks[MODEL_BLOCK_DOWN].columns, h->mlp_width);
        assert_true(h->blocks[MODEL_BLOCK_HEAD].present);
        assert_true(model_layer_sees_all(model, false, 0));
        model_close(&model);
    }
}

static void test_model_describe__kinds(void **state)
{
    (void)state;
    Model *llama = open_model("random:L=2,H=4,d=64");
    Model *gpt2 = open_model("random:L=2,H=4,d=64,arch=gpt2");
    ModelHalf a[2];
    ModelHalf b[2];
    int n;
    assert_true(model_describe(llama, a, &n) && model_describe(gpt2, b, &n));
    assert_true(a[0].rms_norm && a[0].gated && a[0].places == MODEL_PLACES_ROTARY);
    assert_true(!b[0].rms_norm && !b[0].gated && b[0].places == MODEL_PLACES_LEARNED);
    assert_true(a[0].norms_before && b[0].norms_before && !a[0].crosses);
    assert_string_equal(a[0].activation, "SiLU");
    assert_string_equal(b[0].activation, "GELU");
    assert_true(a[0].blocks[MODEL_BLOCK_HEAD].shared);
    model_close(&llama);
    model_close(&gpt2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_describe__params_are_all),
        cmocka_unit_test(test_model_describe__kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
