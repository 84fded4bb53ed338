/*
 * What model_open takes, and what it refuses in which words.
 */
#include "recorder.h"
#include "reference.h"

#include <sys/stat.h>

static const CpModel LLAMA = {.label = "llama",
                              .family = CP_LLAMA,
                              .model_type = "llama",
                              .prefix = "model.",
                              .more = "",
                              .L = 2,
                              .H = 4,
                              .G = 2,
                              .D = 8,
                              .C = 32,
                              .F = 64,
                              .V = 40,
                              .P = 64,
                              .theta = 10000};

static Model *open_spec(const char *spec, ModelNeed need)
{
    Error err = {0};
    Model *model = model_open(&(ModelDesc){.spec = spec, .need = need}, &err);
    assert_ok(model, err);
    return model;
}

static void refuse(const char *spec, ModelNeed need, ErrorCode code, const char *says)
{
    Error err = {0};
    Model *model = model_open(&(ModelDesc){.spec = spec, .need = need}, &err);
    if (model || err.code != code || !strstr(err.message, says)) {
        print_error("%s: %s, expected %s and \"%s\"\n", spec, model ? "opened" : err.message,
                    error_code_name(code), says);
    }
    assert_null(model);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, says));
    assert_null(strchr(err.message, '\n'));
}

/* ---- made-up models */

static void test_model_open__made_up(void **state)
{
    (void)state;
    Model *model = open_spec("random:L=3,H=6,G=2,d=48,f=70,V=100,n=256,seed=9", MODEL_NEED_WEIGHTS);
    const ModelInfo *info = model_info(model);
    assert_int_equal(info->n_stacks, 1);
    assert_int_equal(info->stacks[0].kind, MODEL_STACK_DECODER);
    assert_int_equal(info->stacks[0].n_layers, 3);
    assert_int_equal(info->stacks[0].n_heads, 6);
    assert_int_equal(info->stacks[0].n_kv_heads, 2);
    assert_int_equal(info->stacks[0].head_width, 8);
    assert_int_equal(info->width, 48);
    assert_int_equal(info->vocabulary, 100);
    assert_int_equal(info->max_positions, 256);
    assert_int_equal(info->tokenizer.kind, MODEL_TOKENIZER_WORDS);
    assert_string_equal(info->architecture, "llama");
    const uint64_t layer = 48 * 48 * 2 + 2 * 16 * 48 + 3 * 70 * 48 + 2 * 48;
    assert_int_equal(info->n_params, 100 * 48 + 48 + 3 * layer);
    model_close(&model);
    model = open_spec("hash:arch=gpt2", MODEL_NEED_WEIGHTS);
    assert_string_equal(model_info(model)->architecture, "gpt2");
    assert_true(model_info(model)->positions_limited);
    model_close(&model);
}

static void test_model_open__made_up_refusals(void **state)
{
    (void)state;
    static const char *const SPECS[][2] = {
        {"random:L=0", "from 1"},
        {"random:L=4x", "L=4x"},
        {"random:x=4", "x is not known"},
        {"random:L", "not KEY=VALUE"},
        {"random:H=3,d=64", "3 heads"},
        {"random:H=4,G=3", "share"},
        {"random:arch=bert", "llama"},
        {"random:d=8,H=8", "dimensions"},
        {"hash:L=99999999999999999999", "whole number"},
    };
    for (size_t i = 0; i < AS_COUNT(SPECS); i++) {
        refuse(SPECS[i][0], MODEL_NEED_WEIGHTS, ERR_USAGE, SPECS[i][1]);
    }
    refuse("random:L=512,H=64,d=16384", MODEL_NEED_WEIGHTS, ERR_RANGE, "at most");
    refuse("synthetic:pattern=zigzag", MODEL_NEED_WEIGHTS, ERR_USAGE, "expected evolving|local");
    refuse("synthetic:H=8,d=64", MODEL_NEED_WEIGHTS, ERR_USAGE,
           "8 wide, patterns need at least 16");
    refuse("synthetic:H=4,G=2", MODEL_NEED_WEIGHTS, ERR_USAGE, "a pattern of its own");
    refuse("random:pattern=local", MODEL_NEED_WEIGHTS, ERR_USAGE, "pattern is not known");
}

static void run_states(const char *spec, Recorder *rec)
{
    static const int32_t IDS[] = {3, 1, 4, 1, 5, 9, 2, 6};
    Model *model = open_spec(spec, MODEL_NEED_WEIGHTS);
    rec_run(rec, model, &(ModelInput){.ids = IDS, .n_tokens = 8}, NULL, 2);
    rec->info = NULL; /* it ends here */
    model_close(&model);
}

static void test_model_open__made_up_weights_are_theirs_alone(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same; /* hidden state after layer 1 */
    } PAIRS[] = {
        {"random:d=32,H=4,seed=1", "random:d=32,H=4,seed=1", true},
        {"random:d=32,H=4,seed=1", "random:d=32,H=4,seed=2", false},
        {"hash:d=32,H=4,L=2", "hash:d=32,H=4,L=3", true}, /* a longer one begins alike */
        {"hash:d=32,H=4,seed=1", "hash:d=32,H=4,seed=2", false},
        {"hash:d=32,H=4", "random:d=32,H=4", false},
    };
    for (size_t i = 0; i < AS_COUNT(PAIRS); i++) {
        Recorder a, b;
        run_states(PAIRS[i].a, &a);
        run_states(PAIRS[i].b, &b);
        const size_t n = 8 * 32;
        assert_true((memcmp(a.hidden + n, b.hidden + n, n * sizeof(float)) == 0) == PAIRS[i].same);
        for (size_t j = 0; j < n; j++) {
            assert_true(isfinite(a.hidden[n + j]) && a.hidden[n + j] != 0);
        }
        rec_free(&a);
        rec_free(&b);
    }
}

/* ---- folders */

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[256];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_all(path, text, strlen(text), &err), err);
}

static void remove_file(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void test_model_open__folder(void **state)
{
    (void)state;
    Checkpoint cp;
    char file[256];
    cp_make(&cp, &LLAMA);
    cp_write(&cp);
    Model *model = open_spec(cp.folder, MODEL_NEED_WEIGHTS);
    const ModelInfo *info = model_info(model);
    assert_string_equal(info->name, path_base_name(cp.folder));
    assert_string_equal(info->path, cp.folder);
    assert_string_equal(info->dtype, "F32");
    assert_int_equal(info->tokenizer.kind, MODEL_TOKENIZER_FOLDER);
    assert_string_equal(info->tokenizer.path, cp.folder);
    assert_int_equal(info->file_bytes, info->n_params * 4);
    model_close(&model);
    snprintf(file, sizeof file, "%s/", cp.folder);
    model = open_spec(file, MODEL_NEED_WEIGHTS);
    assert_string_equal(model_info(model)->name, path_base_name(cp.folder));
    model_close(&model);
    snprintf(file, sizeof file, "%s/model.safetensors", cp.folder);
    model = open_spec(file, MODEL_NEED_WEIGHTS);
    assert_string_equal(model_info(model)->architecture, "llama");
    model_close(&model);
    remove_file(cp.folder, "model.safetensors");
    model = open_spec(cp.folder, MODEL_NEED_INFO); /* config alone is enough for that */
    assert_int_equal(model_info(model)->stacks[0].n_heads, 4);
    assert_int_equal(model_info(model)->n_params, 0);
    Error err = {0};
    const int32_t id = 0;
    assert_false(model_forward(model, &(ModelInput){.ids = &id, .n_tokens = 1}, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "without its weights"));
    model_close(&model);
    refuse(cp.folder, MODEL_NEED_WEIGHTS, ERR_IO, cp.folder);
    remove_file(cp.folder, "config.json");
    refuse(cp.folder, MODEL_NEED_WEIGHTS, ERR_IO, "no config.json");
    model = open_spec(cp.folder, MODEL_NEED_TOKENIZER);
    assert_int_equal(model_info(model)->tokenizer.kind, MODEL_TOKENIZER_FOLDER);
    model_close(&model);
    cp_free(&cp);
}

static void test_model_open__pickle_only(void **state)
{
    (void)state;
    Checkpoint cp;
    char file[256];
    cp_make(&cp, &LLAMA);
    cp_write(&cp);
    remove_file(cp.folder, "model.safetensors");
    write_text(cp.folder, "pytorch_model.bin", "PK");
    refuse(cp.folder, MODEL_NEED_WEIGHTS, ERR_UNSUPPORTED, "can run code");
    refuse(cp.folder, MODEL_NEED_WEIGHTS, ERR_UNSUPPORTED, "save_pretrained");
    snprintf(file, sizeof file, "%s/pytorch_model.bin", cp.folder);
    refuse(file, MODEL_NEED_WEIGHTS, ERR_UNSUPPORTED, "can run code");
    remove_file(cp.folder, "pytorch_model.bin");
    cp_free(&cp);
}

static void test_model_open__nothing_there(void **state)
{
    (void)state;
    refuse("no-such-model", MODEL_NEED_WEIGHTS, ERR_IO, "attnscope models");
    refuse("/no/such/folder", MODEL_NEED_INFO, ERR_IO, "no such");
    refuse("src", MODEL_NEED_WEIGHTS, ERR_IO, "no config.json");
}

/* Each row is written as config.json beside good weights. */
static void test_model_open__bad_configs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ErrorCode code;
        const char *says;
    } CONFIGS[] = {
        {"", ERR_FORMAT, "config.json"},
        {"[]", ERR_FORMAT, "config.json"},
        {"{}", ERR_FORMAT, "model_type"},
        {"{\"model_type\": 7}", ERR_FORMAT, "model_type"},
        {"{\"model_type\": \"mamba\\nx\"}", ERR_UNSUPPORTED, "\"mamba?x\" is not known"},
        {"{\"model_type\": \"mamba\"}", ERR_UNSUPPORTED, "known are: bert"},
        {"{\"model_type\": \"llama\"}", ERR_FORMAT, "num_hidden_layers is missing"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 1e9}", ERR_FORMAT, "1e+09"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2.5}", ERR_FORMAT, "whole number"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": \"2\"}", ERR_FORMAT, "not a number"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 5, \"intermediate_size\": 64}",
         ERR_FORMAT, "5 heads"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"num_key_value_heads\": 3, \"intermediate_size\": 64}",
         ERR_FORMAT, "share"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 1, \"head_dim\": 512, \"intermediate_size\": 64}",
         ERR_UNSUPPORTED, "width 512"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"intermediate_size\": 64, \"hidden_act\": \"mish\"}",
         ERR_UNSUPPORTED, "mish"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"intermediate_size\": 64, \"rope_scaling\": {\"type\": "
         "\"dynamic\", \"factor\": 2}}",
         ERR_UNSUPPORTED, "dynamic"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 64, "
         "\"vocab_size\": 41}",
         ERR_FORMAT, "[40, 32], expected [41, 32]"},
        {"{\"model_type\": \"llama\", \"num_hidden_layers\": 3, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 64, "
         "\"vocab_size\": 40}",
         ERR_FORMAT, "model.layers.2.input_layernorm.weight is missing"},
        {"{\"model_type\": \"bert\", \"num_hidden_layers\": 2, \"hidden_size\": 32, "
         "\"num_attention_heads\": 4, \"intermediate_size\": 64, "
         "\"max_position_embeddings\": 16}",
         ERR_FORMAT, "not the weights of a bert model"},
    };
    Checkpoint cp;
    cp_make(&cp, &LLAMA);
    cp_write(&cp);
    for (size_t i = 0; i < AS_COUNT(CONFIGS); i++) {
        write_text(cp.folder, "config.json", CONFIGS[i].text);
        refuse(cp.folder, MODEL_NEED_WEIGHTS, CONFIGS[i].code, CONFIGS[i].says);
    }
    cp_free(&cp);
}

static void test_model_open__hugging_face_cache(void **state)
{
    (void)state;
    Checkpoint cp;
    char home[] = "/tmp/attnscope-test-XXXXXX", path[256], snapshot[256];
    Error err = {0};
    Arena arena = {0};
    ModelListing *list;
    size_t n;
    assert_non_null(mkdtemp(home));
    cp_make(&cp, &LLAMA);
    const char *const FOLDERS[] = {"hub", "hub/models--org--little",
                                   "hub/models--org--little/snapshots",
                                   "hub/models--org--little/snapshots/abc"};
    for (size_t i = 0; i < AS_COUNT(FOLDERS); i++) {
        snprintf(path, sizeof path, "%s/%s", home, FOLDERS[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_true(strlen(path) < sizeof cp.folder);
    strcpy(cp.folder, path);
    strcpy(snapshot, path);
    cp_write(&cp);
    assert_int_equal(setenv("HF_HOME", home, 1), 0);
    unsetenv("HF_HUB_CACHE");
    unsetenv("HUGGINGFACE_HUB_CACHE");
    const char *const NAMES[] = {"org/little", "little"};
    for (size_t i = 0; i < AS_COUNT(NAMES); i++) {
        Model *model = open_spec(NAMES[i], MODEL_NEED_WEIGHTS);
        assert_string_equal(model_info(model)->name, NAMES[i]);
        assert_string_equal(model_info(model)->path, snapshot);
        model_close(&model);
    }
    refuse("other/little", MODEL_NEED_WEIGHTS, ERR_IO, "no such");
    refuse("litt", MODEL_NEED_WEIGHTS, ERR_IO, "no such");
    assert_ok(model_list_local(&arena, NULL, &list, &n, &err), err);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].spec, "tiny");
    assert_string_equal(list[1].spec, "translate");
    assert_string_equal(list[2].spec, "org/little");
    assert_string_equal(list[2].path, snapshot);
    arena_destroy(&arena);
    cp_free(&cp);
    for (size_t i = AS_COUNT(FOLDERS) - 1; i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", home, FOLDERS[i]);
        (void)rmdir(path);
    }
    (void)rmdir(home);
    unsetenv("HF_HOME");
}

typedef struct Warnings {
    const char *about;
    int n;
} Warnings;

static void count_warnings(void *payload, LogLevel level, const char *line)
{
    Warnings *w = payload;
    w->n += level == LOG_WARNING && strstr(line, w->about) ? 1 : 0;
}

static void test_model_open__tensors_without_a_role_are_said(void **state)
{
    (void)state;
    CpModel m = LLAMA;
    Error err = {0};
    Warnings warnings = {.about = "q_norm"};
    const Log log = {count_warnings, &warnings};
    for (int i = 0; i < 2; i++) {
        Checkpoint cp;
        m.family = i ? CP_QWEN3 : CP_LLAMA; /* tensors of the one, config of the other */
        cp_make(&cp, &m);
        cp_write(&cp);
        Model *model = model_open(&(ModelDesc){.spec = cp.folder, .log = &log}, &err);
        assert_ok(model, err);
        assert_int_equal(warnings.n, i);
        model_close(&model);
        cp_free(&cp);
    }
}

/* T5's encoder without a decoder opens; where config.json does not announce it, that is said. */
static void test_model_open__a_missing_decoder_is_said(void **state)
{
    (void)state;
    static const char *const SQUARES[] = {"0.SelfAttention.q", "0.SelfAttention.k",
                                          "0.SelfAttention.v", "0.SelfAttention.o"};
    static const char config[] = "{\"model_type\": \"t5\", \"d_model\": 12, \"d_kv\": 4, "
                                 "\"num_layers\": 1, \"num_heads\": 3, "
                                 "\"d_ff\": 8, \"vocab_size\": 9, \"architectures\": [\"%s\"]}";
    for (int i = 0; i < 2; i++) {
        static const char block[] = "encoder.block.0.layer.";
        Checkpoint cp = {.m = LLAMA, .random = {17}};
        Error err = {0};
        Warnings warnings = {.about = "opened as one"};
        const Log log = {count_warnings, &warnings};
        char text[256];
        char path[256];
        cp_add(&cp, 9, 12, 1, 0, "", "shared", 0, ".weight");
        for (size_t k = 0; k < AS_COUNT(SQUARES); k++) {
            cp_add(&cp, 12, 12, 1, 0, block, SQUARES[k], 0, ".weight");
        }
        cp_add(&cp, 32, 3, 1, 0, block, "0.SelfAttention.relative_attention_bias", 0, ".weight");
        cp_add(&cp, 0, 12, 1, 0, block, "0.layer_norm", 0, ".weight");
        cp_add(&cp, 8, 12, 1, 0, block, "1.DenseReluDense.wi", 0, ".weight");
        cp_add(&cp, 12, 8, 1, 0, block, "1.DenseReluDense.wo", 0, ".weight");
        cp_add(&cp, 0, 12, 1, 0, block, "1.layer_norm", 0, ".weight");
        cp_add(&cp, 0, 12, 1, 0, "encoder.", "final_layer_norm", 0, ".weight");
        cp_write(&cp);
        snprintf(text, sizeof text, config, i ? "T5ForConditionalGeneration" : "T5EncoderModel");
        snprintf(path, sizeof path, "%s/config.json", cp.folder);
        assert_ok(file_write_all(path, text, strlen(text), &err), err);
        Model *model = model_open(&(ModelDesc){.spec = cp.folder, .log = &log}, &err);
        assert_ok(model, err);
        assert_int_equal(model_info(model)->start_token, -1);
        assert_int_equal(warnings.n, i);
        model_close(&model);
        cp_free(&cp);
    }
}

/* ---- GGUF */

static void put(StrBuf *b, const void *bytes, size_t n)
{
    assert_true(strbuf_add(b, bytes, n, NULL));
}

static void put_u32(StrBuf *b, uint32_t v)
{
    put(b, &v, sizeof v);
}

static void put_u64(StrBuf *b, uint64_t v)
{
    put(b, &v, sizeof v);
}

static void put_key(StrBuf *b, const char *key, uint32_t type)
{
    put_u64(b, strlen(key));
    put(b, key, strlen(key));
    put_u32(b, type);
}

static void put_text_key(StrBuf *b, const char *key, const char *text)
{
    put_key(b, key, 8);
    put_u64(b, strlen(text));
    put(b, text, strlen(text));
}

static void put_u32_key(StrBuf *b, const char *key, int value)
{
    put_key(b, key, 4);
    put_u32(b, (uint32_t)value);
}

static void put_f32_key(StrBuf *b, const char *key, float value)
{
    put_key(b, key, 6);
    put(b, &value, sizeof value);
}

/* The name GGUF has for one of transformers' names. */
static void gguf_name(const char *name, char out[64])
{
    static const char *const PARTS[][2] = {
        {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
        {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
        {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
        {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
        {"mlp.down_proj", "ffn_down"},
    };
    int layer = 0;
    snprintf(out, 64, "%s",
             strstr(name, "embed_tokens") ? "token_embd.weight" : "output_norm.weight");
    if (sscanf(name, "model.layers.%d.", &layer) == 1) {
        for (size_t i = 0; i < AS_COUNT(PARTS); i++) {
            if (strstr(name, PARTS[i][0])) {
                snprintf(out, 64, "blk.%d.%s.weight", layer, PARTS[i][1]);
            }
        }
    }
}

/* Rows of q and k as GGUF keeps them: 2j is row j of the head's first half, 2j + 1 of its second.
 */
static void put_data(StrBuf *b, const CpTensor *t, int D)
{
    const bool turned = strstr(t->name, "q_proj") || strstr(t->name, "k_proj");
    for (int64_t r = 0; r < (t->rows ? t->rows : 1); r++) {
        const int64_t head = r / D * D, j = r % D;
        const int64_t from = turned ? head + j / 2 + (j % 2 ? D / 2 : 0) : r;
        put(b, t->data + from * t->columns, (size_t)t->columns * sizeof *t->data);
    }
}

static void write_gguf(Checkpoint *cp, const char *path, const char *architecture)
{
    StrBuf b = {0};
    Error err = {0};
    const CpModel *m = &cp->m;
    uint64_t offset = 0;
    put(&b, "GGUF", 4);
    put_u32(&b, 3);
    put_u64(&b, (uint64_t)cp->n_tensors);
    put_u64(&b, 9);
    put_text_key(&b, "general.architecture", architecture);
    put_u32_key(&b, "llama.block_count", m->L);
    put_u32_key(&b, "llama.embedding_length", m->C);
    put_u32_key(&b, "llama.feed_forward_length", m->F);
    put_u32_key(&b, "llama.attention.head_count", m->H);
    put_u32_key(&b, "llama.attention.head_count_kv", m->G);
    put_u32_key(&b, "llama.context_length", m->P);
    put_f32_key(&b, "llama.attention.layer_norm_rms_epsilon", 1e-6f);
    put_f32_key(&b, "llama.rope.freq_base", (float)m->theta);
    for (int i = 0; i < cp->n_tensors; i++) {
        const CpTensor *t = &cp->tensors[i];
        char name[64];
        gguf_name(t->name, name);
        put_key(&b, name, t->rows ? 2 : 1);
        put_u64(&b, (uint64_t)t->columns);
        if (t->rows) {
            put_u64(&b, (uint64_t)t->rows);
        }
        put_u32(&b, 0); /* F32 */
        put_u64(&b, offset);
        offset += (uint64_t)(t->rows ? t->rows : 1) * (uint64_t)t->columns * 4;
        assert_int_equal(offset % 32, 0);
    }
    while (b.n % 32) {
        put(&b, "", 1);
    }
    for (int i = 0; i < cp->n_tensors; i++) {
        put_data(&b, &cp->tensors[i], m->D);
    }
    assert_ok(file_write_all(path, b.text, b.n, &err), err);
    strbuf_free(&b);
}

static void test_model_open__gguf_is_the_same_model(void **state)
{
    (void)state;
    Checkpoint cp;
    Recorder plain, gguf;
    char folder[] = "/tmp/attnscope-test-XXXXXX", path[128];
    static const int32_t IDS[] = {7, 0, 39, 12, 12, 5, 23, 1, 30};
    const ModelInput input = {.ids = IDS, .n_tokens = 9};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/little.gguf", folder);
    cp_make(&cp, &LLAMA);
    cp_write(&cp);
    write_gguf(&cp, path, "llama");
    Model *model = open_spec(cp.folder, MODEL_NEED_WEIGHTS);
    rec_run(&plain, model, &input, NULL, 2);
    model_close(&model);
    for (int i = 0; i < 2; i++) { /* the file, then its folder */
        model = open_spec(i ? folder : path, MODEL_NEED_WEIGHTS);
        const ModelInfo *info = model_info(model);
        assert_int_equal(info->vocabulary, 40);
        assert_int_equal(info->tokenizer.kind, MODEL_TOKENIZER_GGUF);
        assert_non_null(info->tokenizer.file);
        assert_true(info->has_logits);
        rec_run(&gguf, model, &input, NULL, 2);
        assert_close(gguf.q, plain.q, (size_t)2 * 4 * 9 * 8, 1e-6, 1e-6);
        assert_close(gguf.k, plain.k, (size_t)2 * 2 * 9 * 8, 1e-6, 1e-6);
        assert_close(gguf.weights, plain.weights, (size_t)2 * 4 * 9 * 9, 1e-6, 1e-6);
        assert_close(gguf.logits, plain.logits, (size_t)9 * 40, 1e-5, 1e-5);
        rec_free(&gguf);
        model_close(&model);
    }
    write_gguf(&cp, path, "rwkv\x01");
    refuse(path, MODEL_NEED_WEIGHTS, ERR_UNSUPPORTED, "\"rwkv?\" is not known");
    write_text(folder, "other.gguf", "GGUF");
    refuse(folder, MODEL_NEED_WEIGHTS, ERR_IO, "2 .gguf files");
    remove_file(folder, "other.gguf");
    remove_file(folder, "little.gguf");
    (void)rmdir(folder);
    rec_free(&plain);
    cp_free(&cp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_open__made_up),
        cmocka_unit_test(test_model_open__made_up_refusals),
        cmocka_unit_test(test_model_open__made_up_weights_are_theirs_alone),
        cmocka_unit_test(test_model_open__folder),
        cmocka_unit_test(test_model_open__pickle_only),
        cmocka_unit_test(test_model_open__nothing_there),
        cmocka_unit_test(test_model_open__bad_configs),
        cmocka_unit_test(test_model_open__hugging_face_cache),
        cmocka_unit_test(test_model_open__tensors_without_a_role_are_said),
        cmocka_unit_test(test_model_open__a_missing_decoder_is_said),
        cmocka_unit_test(test_model_open__gguf_is_the_same_model),
    };
    return cmocka_run_group_tests_name("model_open", tests, NULL, NULL);
}
