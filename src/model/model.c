#include "model/model_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/json.h"

/* ---------------------------------------------------------------- what it is */

const ModelInfo *model_info(const Model *model)
{
    return &model->info;
}

bool model_check_bound(const Model *model, Error *err)
{
    return model->bound ||
           error_set(err, ERR_INTERNAL, "%s was opened without its weights, so it cannot be run",
                     model->info.name);
}

static bool has_logits(const Model *m)
{
    const Weights *w = &m->main.weights;
    if (!m->bound || (m->main.arch->head_needs_dense && !w->roles[ROLE_HEAD_DENSE].matrix.view)) {
        return false;
    }
    return w->roles[ROLE_HEAD].matrix.view || m->main.config.tied;
}

/* Type of most weights, and how many there are. */
static void count_weights(const TensorFile *file, ModelInfo *info)
{
    uint64_t by_type[DTYPE_COUNT] = {0};
    for (size_t i = 0; i < tensor_file_count(file); i++) {
        const TensorView *view = tensor_file_at(file, i);
        by_type[view->dtype] += view->n_elements;
        info->n_params += view->n_elements;
        info->file_bytes += view->n_bytes;
    }
    uint64_t most = 0;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        if (by_type[type] > most) {
            most = by_type[type];
            info->dtype = dtype_name((DType)type);
        }
    }
}

static void add_stack(ModelInfo *info, ModelStackKind kind, const ArchConfig *c)
{
    static const char *const NAMES[] = {
        [MODEL_STACK_DECODER] = "decoder",
        [MODEL_STACK_ENCODER] = "encoder",
        [MODEL_STACK_CROSS] = "cross",
    };
    info->stacks[info->n_stacks++] = (ModelStack){.kind = kind,
                                                  .name = NAMES[kind],
                                                  .n_layers = (int32_t)c->n_layers,
                                                  .n_heads = (int32_t)c->n_heads,
                                                  .n_kv_heads = (int32_t)c->n_kv_heads,
                                                  .head_width = (int32_t)c->head_width};
}

static void fill_image(const ArchConfig *c, bool has_class, ModelImage *image)
{
    if (c->patch_side > 0) {
        const int32_t across = (int32_t)(c->image_side / c->patch_side);
        *image = (ModelImage){.side = (int32_t)c->image_side,
                              .patch_side = (int32_t)c->patch_side,
                              .n_special = has_class,
                              .n_tokens = across * across + has_class};
    }
}

static void fill_info(Model *m)
{
    const ArchConfig *c = &m->main.config;
    ModelInfo *info = &m->info;
    info->architecture = m->main.arch->id;
    info->family = m->main.arch->family;
    if (m->encoder.arch) {
        add_stack(info, MODEL_STACK_ENCODER, &m->encoder.config);
        add_stack(info, MODEL_STACK_DECODER, c);
        add_stack(info, MODEL_STACK_CROSS, c);
    } else {
        add_stack(info, m->main.arch->stack, c);
    }
    info->width = (int32_t)c->width;
    info->vocabulary = (int32_t)c->vocabulary;
    info->n_token_types = (int32_t)c->n_types;
    info->max_positions = (int32_t)c->max_positions;
    info->positions_limited = m->main.arch->positions == ARCH_POSITIONS_LEARNED;
    info->has_logits = has_logits(m);
    info->start_token = m->encoder.arch ? (int32_t)c->start_token : -1;
    info->end_token = m->encoder.arch ? (int32_t)c->end_token : -1;
    fill_image(c, m->main.weights.roles[ROLE_CLASS].vector || !m->bound, &info->image);
    if (m->file) {
        count_weights(m->file, info);
    }
}

/* ---------------------------------------------------------------- opening */

/* Names come from files: what would break a line of text becomes "?". */
static bool unknown_architecture(const char *where, const char *name, size_t n, Error *err)
{
    char shown[64];
    size_t length = AS_MIN(n, sizeof shown - 1);
    for (size_t i = 0; i < length; i++) {
        shown[i] = name[i] >= 0x20 && name[i] < 0x7F ? name[i] : '?';
    }
    shown[length] = 0;
    return error_set(err, ERR_UNSUPPORTED, "%s: architecture \"%s\" is not known; known are: %s",
                     where, shown, model_known_architectures());
}

static bool bind(Model *m, const Log *log, Error *err)
{
    ModelPart *const parts[] = {&m->main, &m->encoder};
    if (!weights_bind(parts, AS_COUNT(parts), m->file, &m->arena, log, err)) {
        return false;
    }
    m->bound = true;
    return true;
}

/* The numbers of all parts. */
static bool read_configs(Model *m, const ArchSource *source, Error *err)
{
    m->encoder.arch = m->main.arch->encoder;
    if (!arch_config_read(m->main.arch, source, &m->main.config, err) ||
        (m->encoder.arch && !arch_config_read(m->encoder.arch, source, &m->encoder.config, err))) {
        return false;
    }
    return !m->encoder.arch || m->encoder.config.width == m->main.config.width ||
           error_set(err, ERR_UNSUPPORTED, "%s: encoder of width %lld, decoder of %lld",
                     source->name, (long long)m->encoder.config.width,
                     (long long)m->main.config.width);
}

/* A checkpoint may hold the encoder alone, whatever its config.json says. */
static bool lacks_decoder(const Model *m)
{
    const Arch *encoder = m->main.arch->encoder;
    for (size_t i = 0; encoder && encoder->alone && i < tensor_file_count(m->file); i++) {
        if (strncmp(tensor_file_at(m->file, i)->name, "decoder.", strlen("decoder.")) == 0) {
            return false;
        }
    }
    return encoder && encoder->alone;
}

/* Does config.json name the encoder alone ("T5EncoderModel")? */
static bool names_encoder(const Model *m)
{
    const Arch *encoder = m->main.arch->encoder;
    const cJSON *names = json_get(m->json.root, "architectures");
    const cJSON *first = cJSON_IsArray(names) ? names->child : NULL;
    return encoder && encoder->alone && cJSON_IsString(first) &&
           path_has_suffix(first->valuestring, encoder->alone);
}

static bool open_json(Model *m, Error *err)
{
    const char *type;
    if (!config_get_string(&m->json, "model_type", NULL, &type, err)) {
        return false;
    }
    if (!type) {
        return error_set(err, ERR_FORMAT, "%s: no model_type; known are: %s", m->json.name,
                         model_known_architectures());
    }
    m->main.arch = arch_by_model_type(type);
    if (!m->main.arch) {
        return unknown_architecture(m->json.name, type, strlen(type), err);
    }
    m->info.model_type = arena_strdup(&m->arena, type, err);
    if (names_encoder(m)) {
        m->main.arch = m->main.arch->encoder;
    }
    const ArchSource source = {.json = &m->json, .name = m->json.name};
    return m->info.model_type && read_configs(m, &source, err);
}

static bool open_folder(Model *m, const Location *where, const ModelDesc *desc, Error *err)
{
    m->info.path = where->path;
    m->info.tokenizer = (ModelTokenizerSource){.kind = MODEL_TOKENIZER_FOLDER, .path = where->path};
    if (desc->need == MODEL_NEED_TOKENIZER) {
        return true;
    }
    if (!config_open(&m->json, where->path, err) || !open_json(m, err)) {
        return false;
    }
    Error why = {0};
    m->file = tensor_file_open(where->path, &why);
    if (!m->file) {
        if (desc->need == MODEL_NEED_INFO && why.code == ERR_IO) {
            return true; /* info without weights is fine */
        }
        *err = why;
        return false;
    }
    if (lacks_decoder(m)) {
        log_write(desc->log, LOG_WARNING,
                  "%s: no tensor begins with \"decoder.\", and config.json does not say that the "
                  "model is an encoder alone: it is opened as one",
                  where->path);
        m->main = m->encoder;
        m->encoder = (ModelPart){0};
    }
    return bind(m, desc->log, err);
}

static bool open_gguf(Model *m, const Location *where, const ModelDesc *desc, Error *err)
{
    TextView name;
    m->info.path = where->path;
    m->file = tensor_file_open(where->path, err);
    if (!m->file) {
        return false;
    }
    if (tensor_file_kind(m->file) != TENSOR_FILE_GGUF) {
        return error_set(err, ERR_FORMAT,
                         "%s: safetensors need their config.json: name their folder", where->path);
    }
    m->info.tokenizer = (ModelTokenizerSource){MODEL_TOKENIZER_GGUF, where->path, m->file};
    if (desc->need == MODEL_NEED_TOKENIZER) {
        return true;
    }
    if (!tensor_file_get_string(m->file, "general.architecture", &name, err)) {
        return false;
    }
    if (!name.text) {
        return error_set(err, ERR_FORMAT, "%s: no general.architecture", where->path);
    }
    m->main.arch = arch_by_gguf_name(name.text, name.n);
    if (!m->main.arch) {
        return unknown_architecture(where->path, name.text, name.n, err);
    }
    const ArchSource source = {
        .gguf = m->file, .prefix = name.text, .prefix_n = name.n, .name = where->path};
    m->info.model_type = arena_strndup(&m->arena, name.text, name.n, err);
    return m->info.model_type && read_configs(m, &source, err) && bind(m, desc->log, err);
}

static bool open_embedded(Model *m, const Location *where, const ModelDesc *desc, Error *err)
{
    EmbeddedFile config, tensors;
    const char *config_name = arena_printf(&m->arena, err, "%sconfig.json", where->path);
    const char *name = arena_printf(&m->arena, err, "%smodel.safetensors", where->path);
    if (!config_name || !name) {
        return false;
    }
    m->info.tokenizer =
        (ModelTokenizerSource){.kind = MODEL_TOKENIZER_EMBEDDED, .path = where->path};
    if (!embedded_find(config_name, &config) || !embedded_find(name, &tensors)) {
        return error_set(err, ERR_IO, "%s: not embedded in this build", where->name);
    }
    if (desc->need == MODEL_NEED_TOKENIZER) {
        return true;
    }
    if (!config_open_memory(&m->json, config_name, (const char *)config.data, config.n_bytes,
                            err) ||
        !open_json(m, err)) {
        return false;
    }
    m->file = tensor_file_open_memory(name, tensors.data, tensors.n_bytes, err);
    return m->file && bind(m, desc->log, err);
}

static bool open_made(Model *m, const Location *where, ModelNeed need, Error *err)
{
    WeightsRecipe recipe;
    if (!made_parse(where->path, &m->main.arch, &m->main.config, &recipe, err)) {
        return false;
    }
    m->info.model_type = m->main.arch->id;
    if (recipe.synthetic) {
        SyntheticModel *made = ARENA_NEW(&m->arena, SyntheticModel, err);
        if (!made) {
            return false;
        }
        *made = (SyntheticModel){.pattern = recipe.pattern, .seed = recipe.seed};
        m->main.synthetic = made;
        m->info.synthetic = true;
    }
    m->info.tokenizer = (ModelTokenizerSource){.kind = MODEL_TOKENIZER_WORDS, .path = where->path};
    m->info.dtype = "F32";
    if (need == MODEL_NEED_TOKENIZER) {
        return true;
    }
    if (!weights_make(&m->main.weights, m->main.arch, &m->main.config, &recipe, &m->arena,
                      &m->info.n_params, err)) {
        return false;
    }
    m->info.file_bytes = 0;
    m->bound = true;
    return true;
}

static bool open_all(Model *m, const ModelDesc *desc, Error *err)
{
    Location where;
    if (!locate_model(desc->spec, desc->need != MODEL_NEED_TOKENIZER, &m->arena, &where, err)) {
        return false;
    }
    m->info = (ModelInfo){
        .name = where.name, .path = "", .architecture = "", .model_type = "", .family = ""};
    m->info.dtype = "";
    bool ok = false;
    switch (where.kind) {
    case LOCATION_EMBEDDED:
        ok = open_embedded(m, &where, desc, err);
        break;
    case LOCATION_MADE:
        ok = open_made(m, &where, desc->need, err);
        break;
    case LOCATION_FOLDER:
        ok = open_folder(m, &where, desc, err);
        break;
    case LOCATION_GGUF:
        ok = open_gguf(m, &where, desc, err);
        break;
    }
    if (ok && m->main.arch) {
        fill_info(m);
    }
    return ok;
}

Model *model_open(const ModelDesc *desc, Error *err)
{
    Error why = {0};
    Model *model = mem_alloc_zeroed(1, sizeof *model, err);
    if (!model) {
        return NULL;
    }
    if (!open_all(model, desc, &why)) {
        if (err) {
            *err = why;
        }
        model_close(&model);
    }
    return model;
}

void model_close(Model **model)
{
    if (!model || !*model) {
        return;
    }
    tensor_file_close(&(*model)->file);
    config_close(&(*model)->json);
    arena_destroy(&(*model)->arena);
    mem_free(*model);
    *model = NULL;
}

const char *model_head_made(const Model *model, int32_t layer, int32_t head, char out[96])
{
    const SyntheticModel *made = model->main.synthetic;
    out[0] = 0;
    if (made) {
        const SyntheticHead what = synthetic_head(made->pattern, made->seed, layer,
                                                  (int32_t)model->main.config.n_layers, head);
        snprintf(out, 96, "%s: %s", synthetic_name(what.pattern), synthetic_does(what.pattern));
    }
    return out;
}

const char *model_class_name(const Model *model, int32_t class_id)
{
    char key[16];
    snprintf(key, sizeof key, "%d", class_id);
    const cJSON *name = json_get(config_get(&model->json, "id2label"), key);
    return cJSON_IsString(name) ? name->valuestring : NULL;
}
