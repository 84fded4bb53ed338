/*
 * Configs of architectures whose variants are not all computed: what is refused, in which words,
 * and what the numbers of a config become.
 */
#include "testing.h"

#include "formats/config.h"
#include "model/arch_config.h"

static bool read_config(const char *text, ArchConfig *config, Error *err)
{
    Config json = {0};
    const char *type = NULL;
    assert_ok(config_open_memory(&json, "config.json", text, strlen(text), err), *err);
    assert_ok(config_get_string(&json, "model_type", NULL, &type, err), *err);
    const Arch *arch = arch_by_model_type(type);
    assert_non_null(arch);
    const ArchSource source = {.json = &json, .name = "config.json"};
    const bool ok = arch_config_read(arch, &source, config, err);
    config_close(&json);
    return ok;
}

#define ROBERTA                                                                                    \
    "{\"model_type\": \"xlm-roberta\", \"num_hidden_layers\": 2, \"hidden_size\": 12, "            \
    "\"num_attention_heads\": 3, \"intermediate_size\": 8, \"vocab_size\": 9, "
#define OPT                                                                                        \
    "{\"model_type\": \"opt\", \"num_hidden_layers\": 2, \"hidden_size\": 12, "                    \
    "\"num_attention_heads\": 3, \"ffn_dim\": 8, \"max_position_embeddings\": 20, "                \
    "\"vocab_size\": 9"
#define PHI3                                                                                       \
    "{\"model_type\": \"phi3\", \"num_hidden_layers\": 2, \"hidden_size\": 12, "                   \
    "\"num_attention_heads\": 3, \"intermediate_size\": 8, \"vocab_size\": 9"
#define MODERNBERT                                                                                 \
    "{\"model_type\": \"modernbert\", \"num_hidden_layers\": 7, \"hidden_size\": 12, "             \
    "\"num_attention_heads\": 3, \"intermediate_size\": 8, \"vocab_size\": 9"
#define STRETCHED                                                                                  \
    ", \"max_position_embeddings\": 16, \"original_max_position_embeddings\": 8, "                 \
    "\"rope_scaling\": "
#define MARIAN                                                                                     \
    "{\"model_type\": \"marian\", \"d_model\": 12, \"decoder_layers\": 1, "                        \
    "\"encoder_attention_heads\": 3, \"decoder_attention_heads\": 2, \"encoder_ffn_dim\": 8, "     \
    "\"decoder_ffn_dim\": 8, \"vocab_size\": 9, \"decoder_start_token_id\": 1"
#define T5                                                                                         \
    "{\"model_type\": \"t5\", \"d_model\": 12, \"num_layers\": 1, \"num_heads\": 3, \"d_ff\": 8, " \
    "\"vocab_size\": 9"
#define VIT                                                                                        \
    "{\"model_type\": \"vit\", \"hidden_size\": 12, \"num_hidden_layers\": 1, "                    \
    "\"num_attention_heads\": 3, \"intermediate_size\": 8, \"image_size\": 12"
#define GEMMA2                                                                                     \
    "{\"model_type\": \"gemma2\", \"num_hidden_layers\": 4, \"hidden_size\": 16, "                 \
    "\"num_attention_heads\": 4, \"intermediate_size\": 8, \"vocab_size\": 9"

static void test_arch_config_read__refused_variants(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ErrorCode code;
        const char *says;
    } ROWS[] = {
        {ROBERTA "\"max_position_embeddings\": 2}", ERR_FORMAT, "positions begin at 2"},
        {ROBERTA "\"max_position_embeddings\": 9, \"pad_token_id\": -1}", ERR_FORMAT,
         "pad_token_id"},
        {ROBERTA "\"max_position_embeddings\": 9, \"is_decoder\": true}", ERR_UNSUPPORTED,
         "decoder"},
        {ROBERTA "\"max_position_embeddings\": 9, "
                 "\"position_embedding_type\": \"relative_key\"}",
         ERR_UNSUPPORTED, "relative_key"},
        {OPT ", \"word_embed_proj_dim\": 0}", ERR_FORMAT, "word_embed_proj_dim"},
        {OPT ", \"_remove_final_layer_norm\": true}", ERR_UNSUPPORTED, "final_layer_norm"},
        {OPT ", \"layer_norm_elementwise_affine\": false}", ERR_UNSUPPORTED, "affine"},
        {PHI3 ", \"rope_scaling\": {\"type\": \"su\"}}", ERR_FORMAT, "trained on"},
        {PHI3 STRETCHED "{\"type\": \"longrope\", \"short_factor\": [1, 1, 1]}}", ERR_FORMAT,
         "short_factor"},
        {PHI3 STRETCHED "{\"type\": \"longrope\", \"short_factor\": 1}}", ERR_FORMAT,
         "short_factor"},
        {PHI3 STRETCHED "{\"type\": \"su\", \"short_factor\": [1, 0]}}", ERR_FORMAT, "above 0"},
        {PHI3 ", \"rope_scaling\": {\"type\": \"yarn\"}}", ERR_UNSUPPORTED, "yarn"},
        {MARIAN ", \"max_position_embeddings\": 0}", ERR_FORMAT, "max_position_embeddings"},
        {T5 ", \"feed_forward_proj\": \"gated-maxout\"}", ERR_UNSUPPORTED, "maxout"},
        {T5 ", \"feed_forward_proj\": \"a-very-long-name-that-is-no-activation\"}", ERR_UNSUPPORTED,
         "feed_forward_proj"},
        {T5 ", \"relative_attention_max_distance\": 8}", ERR_FORMAT, "max_distance"},
        {VIT ", \"num_channels\": 1}", ERR_UNSUPPORTED, "channels"},
        {VIT ", \"patch_size\": 7}", ERR_UNSUPPORTED, "patches"},
        {MODERNBERT ", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}", ERR_UNSUPPORTED,
         "scaled"},
        {MODERNBERT ", \"rope_parameters\": {\"sliding_attention\": {\"rope_type\": \"yarn\"}}}",
         ERR_UNSUPPORTED, "scaled"},
        {MODERNBERT ", \"global_attn_every_n_layers\": 0}", ERR_FORMAT, "every_n_layers"},
        {GEMMA2 ", \"use_bidirectional_attention\": true}", ERR_UNSUPPORTED, "bidirectional"},
    };
    for (size_t i = 0; i < AS_COUNT(ROWS); i++) {
        Error err = {0};
        ArchConfig config;
        const bool ok = read_config(ROWS[i].text, &config, &err);
        if (ok || err.code != ROWS[i].code || !strstr(err.message, ROWS[i].says)) {
            fail_msg("%s: %s, expected \"%s\"", ROWS[i].text, ok ? "accepted" : err.message,
                     ROWS[i].says);
        }
    }
}

static ArchConfig accept(const char *text)
{
    Error err = {0};
    ArchConfig config;
    assert_ok(read_config(text, &config, &err), err);
    return config;
}

static void test_arch_config_read__positions_behind_padding(void **state)
{
    (void)state;
    ArchConfig c = accept(ROBERTA "\"max_position_embeddings\": 514}");
    assert_int_equal(c.position_offset, 2);
    assert_int_equal(c.max_positions, 512);
    assert_true(c.pads_unplaced);
    c = accept(ROBERTA "\"max_position_embeddings\": 130, \"pad_token_id\": 3}");
    assert_int_equal(c.position_offset, 4);
    assert_int_equal(c.max_positions, 126);
    c = accept(OPT "}");
    assert_int_equal(c.position_offset, 2);
    assert_int_equal(c.max_positions, 20);
    assert_false(c.pads_unplaced);
}

/* The layers of the windows, where the file lists them and where it gives a number. */
static void test_arch_config_read__windows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t window;
        const char *global; /* layer by layer: g global, w window */
    } ROWS[] = {
        {MODERNBERT "}", 128, "gwwgwwg"},
        {MODERNBERT ", \"local_attention\": 9, \"global_attn_every_n_layers\": 2}", 9, "gwgwgwg"},
        {MODERNBERT ", \"layer_types\": [\"sliding_attention\", \"full_attention\", "
                    "\"sliding_attention\", \"sliding_attention\", \"full_attention\", "
                    "\"full_attention\", \"sliding_attention\"]}",
         128, "wgwwggw"},
        {GEMMA2 "}", 4096, "wgwg"},
        {PHI3 ", \"sliding_window\": null}", 0, "gg"},
        {PHI3 ", \"sliding_window\": 2047}", 2047, "ww"},
    };
    for (size_t i = 0; i < AS_COUNT(ROWS); i++) {
        const ArchConfig c = accept(ROWS[i].text);
        assert_int_equal(c.window, ROWS[i].window);
        assert_int_equal(c.n_layers, strlen(ROWS[i].global));
        for (int32_t l = 0; l < c.n_layers; l++) {
            assert_int_equal(arch_layer_is_global(&c, l), ROWS[i].global[l] == 'g');
        }
    }
}

/* An absent cap is the default one, null is none. */
static void test_arch_config_read__caps(void **state)
{
    (void)state;
    ArchConfig c = accept(GEMMA2 "}");
    assert_true(c.score_cap == 50 && c.logit_cap == 30);
    assert_true(fabs(c.score_scale - 1.0 / 16) < 1e-12 && c.embedding_scale == 4);
    c = accept(GEMMA2 ", \"attn_logit_softcapping\": null, \"final_logit_softcapping\": 7, "
                      "\"query_pre_attn_scalar\": 144}");
    assert_true(c.score_cap == 0 && c.logit_cap == 7);
    assert_true(fabs(c.score_scale - 1.0 / 12) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arch_config_read__refused_variants),
        cmocka_unit_test(test_arch_config_read__positions_behind_padding),
        cmocka_unit_test(test_arch_config_read__windows),
        cmocka_unit_test(test_arch_config_read__caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
