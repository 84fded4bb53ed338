#include "tokenizer/engine.h"

#include "base/str.h"
#include "tokenizer/unicode.h"

#include <string.h>

/* ---- what they do ---- */

/** The byte-level space, or any white space, from one end of a token's text; in characters. */
static uint32_t count_spaces(const char *text, size_t n, bool from_end)
{
    uint32_t count = 0;
    size_t at = from_end ? n : 0;
    while (from_end ? at > 0 : at < n) {
        size_t begin = at;
        uint32_t c;
        if (from_end) {
            do {
                begin--;
            } while (begin > 0 && ((uint8_t)text[begin] & 0xC0) == 0x80);
        }
        size_t step = utf8_decode(text + begin, n - begin, &c);
        if (c != byte_level_char(' ') && !unicode_is_space(c)) {
            break;
        }
        count++;
        at = from_end ? begin : begin + step;
    }
    return count;
}

/* A token may be only the space that was put before a text, and then stand for that text's first
 * character, whatever it is: so offsets move by characters of the original, as the library's do. */

static uint32_t move_right(const char *text, ByteSpan span, uint32_t n_characters)
{
    for (uint32_t i = 0; i < n_characters && span.start < span.end; i++) {
        uint32_t c;
        span.start += (uint32_t)utf8_decode(text + span.start, span.end - span.start, &c);
    }
    return span.start;
}

static uint32_t move_left(const char *text, ByteSpan span, uint32_t n_characters)
{
    uint32_t at = span.end;
    for (uint32_t i = 0; i < n_characters; i++) {
        if (at == 0) {
            return span.end;
        }
        do {
            at--;
        } while (at > 0 && ((uint8_t)text[at] & 0xC0) == 0x80);
    }
    return AS_MAX(at, span.start);
}

/** Takes the spaces around a token out of its offsets (GPT-2's tokens start with their space). */
static void trim_offsets(const Component *c, PostState *state)
{
    for (int s = 0; s < state->n_sequences; s++) {
        for (size_t i = 0; i < state->tokens[s].n; i++) {
            PlacedToken *token = &state->tokens[s].items[i];
            if (token->added) {
                continue;
            }
            const char *text = state->texts[token->sequence] + token->begin;
            uint32_t leading = count_spaces(text, token->end - token->begin, false);
            uint32_t trailing = count_spaces(text, token->end - token->begin, true);
            bool is_first = i == 0 || token[-1].sequence != token->sequence;
            if (leading && c->post.add_prefix_space && (is_first || token->span.start == 0)) {
                leading = 0; /* that space was ours */
            }
            const char *original = state->originals[token->sequence];
            token->span.start = move_right(original, token->span, leading);
            token->span.end = move_left(original, token->span, trailing);
        }
    }
}

static bool add_template_part(const TemplatePart *part, PostState *state, PlacedTokens *out,
                              Error *err)
{
    if (part->sequence < 0) {
        for (uint32_t i = 0; i < part->n_ids && state->add_special; i++) {
            PlacedToken token = {
                .id = part->ids[i], .added = 1, .type_id = part->type_id, .sequence = -1};
            if (!ARRAY_PUSH(out, token, err)) {
                return false;
            }
        }
        return true;
    }
    const PlacedTokens *from = &state->tokens[part->sequence];
    for (size_t i = 0; i < from->n; i++) {
        PlacedToken token = from->items[i];
        token.type_id = part->type_id;
        if (!ARRAY_PUSH(out, token, err)) {
            return false;
        }
    }
    return true;
}

/** All tokens become those of `joined`, as one sequence from here on. */
static void take_joined(PostState *state, PlacedTokens joined)
{
    ARRAY_FREE(&state->tokens[0]);
    ARRAY_FREE(&state->tokens[1]);
    state->tokens[0] = joined;
    state->n_sequences = 1;
}

static bool process_template(const Component *c, PostState *state, Error *err)
{
    if (c->post.trim_offsets) {
        trim_offsets(c, state);
    }
    for (int s = 0; s < 2 && c->post.clear_types; s++) {
        for (size_t i = 0; i < state->tokens[s].n; i++) {
            state->tokens[s].items[i].type_id = 0;
        }
    }
    int which = state->n_sequences - 1;
    bool keeps_types = c->post.fixed && !state->add_special;
    if (!c->post.has_template || state->is_joined || keeps_types) {
        return true;
    }
    PlacedTokens joined = {0};
    for (uint32_t i = 0; i < c->post.n_parts[which]; i++) {
        if (!add_template_part(&c->post.parts[which][i], state, &joined, err)) {
            ARRAY_FREE(&joined);
            return false;
        }
    }
    take_joined(state, joined);
    state->is_joined = true;
    return true;
}

static bool run(const Component *c, PostState *state, Error *err)
{
    if (c && component_is_sequence(c)) {
        for (uint32_t i = 0; i < c->n_children; i++) {
            if (!run(&c->children[i], state, err)) {
                return false;
            }
        }
        return true;
    }
    return !c || c->kind->process(c, state, err);
}

bool post_process(const Component *post_processor, PostState *state, Error *err)
{
    if (!run(post_processor, state, err)) {
        return false;
    }
    if (state->n_sequences == 2) {
        for (size_t i = 0; i < state->tokens[1].n; i++) {
            if (!ARRAY_PUSH(&state->tokens[0], state->tokens[1].items[i], err)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- how they are read ---- */

static bool read_trim(const cJSON *json, Component *c)
{
    c->post.trim_offsets = json_get_bool(json, "trim_offsets", true);
    c->post.add_prefix_space = json_get_bool(json, "add_prefix_space", true);
    return true;
}

static bool read_byte_level(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    (void)reader;
    (void)err;
    return read_trim(json, c);
}

static bool check_id(const Reader *reader, const Component *c, double id, Error *err)
{
    if (!(id >= 0 && id < VOCAB_MOST_IDS) || id != (double)(int32_t)id) {
        return error_set(err, ERR_FORMAT, "%s: %s names a special token with the id %g",
                         reader->name, c->kind->name, id);
    }
    return true;
}

/** ["[SEP]", 102] */
static bool read_pair(Reader *reader, const cJSON *json, const char *key, Component *c, int32_t *id,
                      Error *err)
{
    const cJSON *pair = json_get(json, key);
    const cJSON *number =
        cJSON_IsArray(pair) && cJSON_GetArraySize(pair) == 2 ? pair->child->next : NULL;
    if (!cJSON_IsNumber(number)) {
        return error_set(err, ERR_FORMAT, "%s: %s needs \"%s\": [\"token\", id]", reader->name,
                         c->kind->name, key);
    }
    *id = 0;
    if (!check_id(reader, c, number->valuedouble, err)) {
        return false;
    }
    *id = (int32_t)number->valuedouble;
    return true;
}

bool template_set(Tokenizer *t, Component *c, int which, const char *spelled, const int32_t *ids,
                  Error *err)
{
    size_t n = strlen(spelled);
    TemplatePart *parts = ARENA_ARRAY(&t->arena, TemplatePart, n / 2, err);
    int32_t *copies = parts ? ARENA_ARRAY(&t->arena, int32_t, n / 2, err) : NULL;
    if (!copies) {
        return false;
    }
    for (size_t i = 0; i < n / 2; i++) {
        char what = spelled[2 * i];
        parts[i].type_id = (uint8_t)(spelled[2 * i + 1] - '0');
        parts[i].sequence = what == 'A' ? 0 : what == 'B' ? 1 : -1;
        if (parts[i].sequence < 0) {
            copies[i] = ids[what - '0'];
            parts[i].ids = &copies[i];
            parts[i].n_ids = 1;
        }
    }
    c->post.parts[which] = parts;
    c->post.n_parts[which] = (uint32_t)(n / 2);
    c->post.has_template = true;
    return true;
}

static bool read_bert(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    int32_t ids[2];
    c->post.fixed = true;
    return read_pair(reader, json, "cls", c, &ids[0], err) &&
           read_pair(reader, json, "sep", c, &ids[1], err) &&
           template_set(reader->tokenizer, c, 0, "00A010", ids, err) &&
           template_set(reader->tokenizer, c, 1, "00A010B111", ids, err);
}

static bool read_roberta(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    int32_t ids[2];
    c->post.fixed = true;
    c->post.clear_types = true;
    return read_trim(json, c) && read_pair(reader, json, "cls", c, &ids[0], err) &&
           read_pair(reader, json, "sep", c, &ids[1], err) &&
           template_set(reader->tokenizer, c, 0, "00A010", ids, err) &&
           template_set(reader->tokenizer, c, 1, "00A01010B010", ids, err);
}

static bool read_special_part(Reader *reader, const cJSON *specials, const char *name, Component *c,
                              TemplatePart *part, Error *err)
{
    const cJSON *list = json_get(json_get(specials, name), "ids");
    int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    int32_t *ids = ARENA_ARRAY(&reader->tokenizer->arena, int32_t, (size_t)n, err);
    if (!ids) {
        return false;
    }
    if (n == 0) {
        return error_set(err, ERR_FORMAT, "%s: the template uses \"%.*s\" without saying its ids",
                         reader->name, CLIPPED(name));
    }
    uint32_t at = 0;
    for (const cJSON *item = list->child; item; item = item->next) {
        double id = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!check_id(reader, c, id, err)) {
            return false;
        }
        ids[at++] = (int32_t)id;
    }
    part->sequence = -1;
    part->ids = ids;
    part->n_ids = at;
    return true;
}

static bool read_parts(Reader *reader, const cJSON *json, int which, Component *c, Error *err)
{
    const char *key = which ? "pair" : "single";
    const cJSON *list = json_get(json, key);
    size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
    TemplatePart *parts = ARENA_ARRAY(&reader->tokenizer->arena, TemplatePart, n, err);
    if (!parts) {
        return false;
    }
    size_t at = 0;
    for (const cJSON *item = n ? list->child : NULL; item; item = item->next, at++) {
        const cJSON *special = json_get(item, "SpecialToken");
        const cJSON *body = special ? special : json_get(item, "Sequence");
        const char *id = json_get_string(body, "id", NULL);
        int64_t type_id;
        if (!id || (!special && strcmp(id, "A") != 0 && strcmp(id, "B") != 0)) {
            return error_set(err, ERR_FORMAT,
                             "%s: part %zu of the template's \"%s\" is neither a SpecialToken nor "
                             "Sequence A or B",
                             reader->name, at, key);
        }
        if (!json_get_int(body, "type_id", 0, 255, 0, &type_id, reader->name, err)) {
            return false;
        }
        parts[at].type_id = (uint8_t)type_id;
        parts[at].sequence = id[0] == 'B';
        if (special &&
            !read_special_part(reader, json_get(json, "special_tokens"), id, c, &parts[at], err)) {
            return false;
        }
    }
    c->post.parts[which] = parts;
    c->post.n_parts[which] = (uint32_t)n;
    c->post.has_template = true;
    return true;
}

static bool read_template(Reader *reader, const cJSON *json, Component *c, Error *err)
{
    return read_parts(reader, json, 0, c, err) && read_parts(reader, json, 1, c, err);
}

const ComponentKind POST_PROCESSORS[] = {
    {.name = "BertProcessing", .read = read_bert, .process = process_template},
    {.name = "ByteLevel", .read = read_byte_level, .process = process_template},
    {.name = "RobertaProcessing", .read = read_roberta, .process = process_template},
    {.name = "Sequence"},
    {.name = "TemplateProcessing", .read = read_template, .process = process_template},
    {0},
};
