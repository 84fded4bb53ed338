#include "session/run_input.h"

#include "base/str.h"
#include "model/picture.h"

#include <string.h>

bool run_input_has_target(const Model *model)
{
    return model_info(model)->start_token >= 0;
}

/* ---- target ---------------------------------------------------------------------------------- */

static const Tokenizer *target_tokenizer(const RunInputDesc *desc)
{
    return desc->tokenizer ? tokenizer_for_target(desc->tokenizer) : NULL;
}

/* The decoder reads the target one place later than it predicts it: its start token comes first
 * (unless it is there), and the token that ends the text is only predicted. */
static bool shift_target(const RunInputDesc *desc, TextTokens *target, Arena *arena, Error *err)
{
    const ModelInfo *info = model_info(desc->model);
    size_t n = target->n;
    bool begun = n > 0 && target->tokens[0].id == info->start_token;
    if (!desc->target.ids && n > 1 && target->tokens[n - 1].id == info->end_token) {
        n--;
    }
    TraceToken *tokens = ARENA_ARRAY(arena, TraceToken, n + 1, err);
    if (!tokens) {
        return false;
    }
    tokens[0] = (TraceToken){.id = info->start_token, .start = -1, .end = -1, .special = true};
    size_t first = begun ? 0 : 1;
    memcpy(tokens + first, target->tokens, n * sizeof *tokens);
    if (!begun) {
        tokens[0].text =
            text_of_token(target->source, &tokens[0], target_tokenizer(desc), arena, err);
    }
    target->tokens = tokens;
    target->n = n + first;
    return tokens[0].text != NULL;
}

static bool copy_ids(const TextTokens *text, Arena *arena, int32_t **ids, Error *err)
{
    *ids = ARENA_ARRAY(arena, int32_t, text->n, err);
    for (size_t i = 0; *ids && i < text->n; i++) {
        (*ids)[i] = text->tokens[i].id;
    }
    return *ids != NULL;
}

static bool write_target(const RunInputDesc *desc, const TextTokens *text, TextRequest *target,
                         Arena *arena, Error *err)
{
    AttnCtx *ctx = NULL;
    int32_t *ids = NULL;
    int32_t n = 0;
    bool ended = false;
    char message[256] = "";
    /* The start token is one more. */
    const int64_t wanted = target->max_tokens > 0 ? target->max_tokens : RUN_TARGET_USUAL;
    const int32_t most =
        (int32_t)AS_MIN(wanted + 1, model_generate_most(desc->model, (int32_t)text->n));
    int32_t *written = ARENA_ARRAY(arena, int32_t, (size_t)most, err);
    if (!written || !copy_ids(text, arena, &ids, err)) {
        return false;
    }
    AttnCtxDesc ctx_desc = {.n_threads = desc->threads};
    if (attn_ctx_create(&ctx_desc, &ctx, message, sizeof message) != ATTN_OK) {
        return error_set(err, ERR_INTERNAL, "%s", message);
    }
    if (desc->control) {
        atomic_store(&desc->control->stage, "writing the target");
    }
    ModelInput source = {.ids = ids, .n_tokens = (int32_t)text->n};
    bool ok =
        model_generate(desc->model, &source, ctx, desc->control, written, most, &n, &ended, err);
    attn_ctx_destroy(&ctx);
    if (!ok) {
        return false;
    }
    const char *why = ended                 ? ""
                      : n < (int32_t)wanted ? ", all the positions it has"
                      : target->max_tokens  ? " (--target-most)"
                                            : " (--target-most N allows more)";
    size_t n_words = 0;
    Error ignored = {0};
    const Tokenizer *tokenizer = target_tokenizer(desc);
    const char *words =
        tokenizer ? tokenizer_decode(tokenizer, written, (size_t)n, true, arena, &n_words, &ignored)
                  : NULL;
    words = words ? utf8_repair(arena, words, n_words, &n_words, NULL, &ignored) : NULL;
    log_write(desc->log, ended ? LOG_INFO : LOG_WARNING,
              "no target was given: the model wrote it itself, the likeliest token each time, %s "
              "%d tokens%s%s%s",
              ended ? "until its end after" : "cut after", n - 1, why, words ? ": " : "",
              words ? words : "");
    *target = (TextRequest){.ids = written, .n_ids = (size_t)n};
    return true;
}

static bool read_target(const RunInputDesc *desc, RunInput *input, Arena *arena, Error *err)
{
    RunInputDesc own = *desc;
    bool given = desc->target.text || desc->target.ids;
    if (!given && !write_target(desc, &input->text, &own.target, arena, err)) {
        return false;
    }
    own.target.leave_special_out = desc->text.leave_special_out;
    int32_t *ids = NULL;
    int32_t *target_ids = NULL;
    if (!text_tokens(&own.target, NULL, target_tokenizer(desc), arena, desc->log, &input->target,
                     err) ||
        !shift_target(&own, &input->target, arena, err) ||
        !copy_ids(&input->text, arena, &ids, err) ||
        !copy_ids(&input->target, arena, &target_ids, err)) {
        return error_wrap(err, "the target");
    }
    ModelInput whole = {.ids = ids,
                        .n_tokens = (int32_t)input->text.n,
                        .target_ids = target_ids,
                        .n_target = (int32_t)input->target.n};
    return model_check_input(desc->model, &whole, NULL, err);
}

/* ---- picture --------------------------------------------------------------------------------- */

/* "[CLS]", then "[r0 c0]" and on, row by row. */
static bool name_patches(const ModelImage *shape, Arena *arena, TextTokens *text, Error *err)
{
    int32_t across = shape->side / shape->patch_side;
    text->n = (size_t)shape->n_tokens;
    text->source = "";
    text->tokens = ARENA_ARRAY(arena, TraceToken, text->n, err);
    for (int32_t i = 0; text->tokens && i < shape->n_tokens; i++) {
        int32_t patch = i - shape->n_special;
        const char *name =
            patch < 0 ? "[CLS]"
                      : arena_printf(arena, err, "[r%d c%d]", patch / across, patch % across);
        if (!name) {
            return false;
        }
        text->tokens[i] =
            (TraceToken){.id = i, .text = name, .start = -1, .end = -1, .special = patch < 0};
    }
    return text->tokens != NULL;
}

static bool read_picture(const RunInputDesc *desc, RunInput *input, Arena *arena, Error *err)
{
    const ModelImage *shape = &model_info(desc->model)->image;
    int32_t across = shape->side / shape->patch_side;
    Picture picture;
    if (!desc->image_path) {
        return error_set(err, ERR_USAGE, "%s reads pictures, not texts: give one with --image FILE",
                         model_info(desc->model)->name);
    }
    if (!model_read_picture(desc->model, desc->image_path, arena, &picture, err) ||
        !name_patches(shape, arena, &input->text, err)) {
        return false;
    }
    input->pixels = picture.pixels;
    input->image = (TraceImage){.width = shape->side,
                                .height = shape->side,
                                .rgb = picture.rgb,
                                .patch_rows = across,
                                .patch_columns = across,
                                .first_patch = shape->n_special};
    return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

bool run_input_read(const RunInputDesc *desc, Arena *arena, RunInput *input, Error *err)
{
    const ModelInfo *info = model_info(desc->model);
    bool has_target = run_input_has_target(desc->model);
    bool given = desc->target.text || desc->target.ids;
    *input = (RunInput){0};
    if (info->image.n_tokens > 0) {
        return read_picture(desc, input, arena, err);
    }
    if (desc->image_path) {
        return error_set(err, ERR_USAGE, "%s reads texts, not pictures: leave --image out",
                         info->name);
    }
    if (!has_target && given) {
        return error_set(err, ERR_USAGE,
                         "%s has no decoder beside an encoder: leave --target-text and "
                         "--target-ids out",
                         info->name);
    }
    return text_tokens(&desc->text, desc->model, desc->tokenizer, arena, desc->log, &input->text,
                       err) &&
           (!has_target || (desc->encoder_alone && !given) || read_target(desc, input, arena, err));
}

void run_input_describe(const RunInput *input, TraceDesc *desc)
{
    const TextTokens *target = &input->target;
    desc->tokens = input->text.tokens;
    desc->n_tokens = input->text.n;
    desc->source = input->text.source;
    desc->n_source = input->text.n_source;
    desc->second_at = input->text.second_at;
    desc->target = (TraceText){target->tokens, target->n, target->source, target->n_source};
    desc->image = input->image.rgb ? &input->image : NULL;
    desc->pixels = input->pixels;
}
