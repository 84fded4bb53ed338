/* models: what is installed here and what can be fetched. */
#include "app/cli.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

/* What models/fetch.sh brings; a test holds it against models/fetch.txt. */
static const struct {
    const char *name;
    const char *summary;
} fetchable[] = {
    {"minilm", "MiniLM-L6, a BERT encoder for sentences"},
    {"smollm2", "SmolLM2-135M-Instruct, a LLaMA decoder, Q4_1"},
    {"gemma3", "Gemma 3 270M, a decoder with sliding windows, Q4_K_M"},
};

static bool is_installed(const ModelListing *listings, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(path_base_name(listings[i].path), name)) {
            return true;
        }
    }
    return false;
}

/* What --model takes for it: of a fetched model its name alone. */
static const char *short_name(App *app, const ModelListing *listing)
{
    const char *name = path_base_name(listing->spec);
    return strcmp(cli_resolve_model(name, &app->arena), listing->path) == 0 ? name : listing->spec;
}

/* What its headers say, or why they cannot be read. */
typedef struct Facts {
    ModelInfo info; /* borrowed from model; zero without one */
    Model *model;
    const char *why; /* NULL = it can be opened */
} Facts;

static Facts facts_of(App *app, const ModelListing *listing)
{
    Error err = {0};
    Facts f = {.model =
                   model_open(&(ModelDesc){.spec = *listing->path ? listing->path : listing->spec,
                                           .need = MODEL_NEED_INFO},
                              &err)};
    if (f.model) {
        f.info = *model_info(f.model);
    } else {
        f.why = arena_strdup(&app->arena, err.message, NULL);
    }
    return f;
}

static bool facts_json(const Facts *f, StrBuf *out, Error *err)
{
    if (!f->model) {
        return strbuf_puts(out, ",\"problem\":", err) &&
               cli_json_string(out, f->why ? f->why : "", err);
    }
    const ModelInfo *info = &f->info;
    return strbuf_puts(out, ",\"family\":", err) && cli_json_string(out, info->family, err) &&
           strbuf_printf(out, err,
                         ",\"layers\":%d,\"heads\":%d,\"context\":%d,\"parameters\":%llu,"
                         "\"file_bytes\":%llu",
                         info->stacks[0].n_layers, info->stacks[0].n_heads, info->max_positions,
                         (unsigned long long)info->n_params, (unsigned long long)info->file_bytes);
}

/* "LLaMA family decoder, 30 layers × 9 heads, context 8,192, 82 MiB" */
static bool facts_text(const Facts *f, StrBuf *out, Error *err)
{
    char context[32];
    char bytes[32];
    if (!f->model) {
        return strbuf_puts(out, "cannot be opened: `attnscope info` says why", err);
    }
    const ModelInfo *info = &f->info;
    bool ok = strbuf_printf(out, err, "%s, %d layers × %d heads", info->family,
                            info->stacks[0].n_layers, info->stacks[0].n_heads);
    if (info->max_positions) {
        ok = ok && strbuf_printf(out, err, ", context %s",
                                 format_count((uint64_t)info->max_positions, context));
    }
    return ok && (!info->file_bytes ||
                  strbuf_printf(out, err, ", %s", format_bytes(info->file_bytes, bytes)));
}

static bool models_json(App *app, const ModelListing *listings, size_t n, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "{\"installed\":[", err);
    for (size_t i = 0; i < n && ok; i++) {
        ok = strbuf_puts(out, i ? ",\n{\"model\":" : "\n{\"model\":", err) &&
             cli_json_string(out, short_name(app, &listings[i]), err) &&
             strbuf_puts(out, ",\"where\":", err) && cli_json_string(out, listings[i].where, err) &&
             strbuf_puts(out, ",\"path\":", err) && cli_json_string(out, listings[i].path, err);
        Facts f = facts_of(app, &listings[i]);
        ok = ok && facts_json(&f, out, err) && strbuf_puts(out, "}", err);
        model_close(&f.model);
    }
    ok = ok && strbuf_puts(out, "\n],\"fetchable\":[", err);
    for (size_t i = 0; i < AS_COUNT(fetchable) && ok; i++) {
        ok = strbuf_puts(out, i ? ",\n{\"name\":" : "\n{\"name\":", err) &&
             cli_json_string(out, fetchable[i].name, err) &&
             strbuf_puts(out, ",\"summary\":", err) &&
             cli_json_string(out, fetchable[i].summary, err) &&
             strbuf_printf(out, err, ",\"installed\":%s}",
                           is_installed(listings, n, fetchable[i].name) ? "true" : "false");
    }
    return ok && strbuf_puts(out, "\n]}\n", err);
}

static bool models_table(App *app, const ModelListing *listings, size_t n, StrBuf *out, Error *err)
{
    size_t widest = 0;
    for (size_t i = 0; i < n; i++) {
        widest = AS_MAX(widest, strlen(short_name(app, &listings[i])));
    }
    bool ok = strbuf_puts(out, "Installed (--model …)\n", err);
    for (size_t i = 0; i < n && ok; i++) {
        Facts f = facts_of(app, &listings[i]);
        ok = strbuf_printf(out, err, "  %-*s  ", (int)AS_MIN(widest, 60u),
                           short_name(app, &listings[i])) &&
             facts_text(&f, out, err) && strbuf_printf(out, err, " (%s)\n", listings[i].where);
        model_close(&f.model);
    }
    ok =
        ok && strbuf_puts(out, "\nCan be fetched with models/fetch.sh NAME, in the sources\n", err);
    for (size_t i = 0; i < AS_COUNT(fetchable) && ok; i++) {
        ok = strbuf_printf(out, err, "  %-10s%s%s\n", fetchable[i].name, fetchable[i].summary,
                           is_installed(listings, n, fetchable[i].name) ? " (is here)" : "");
    }
    return ok && strbuf_puts(out, "\n`attnscope help model` lists all forms of MODEL.\n", err);
}

bool command_models(App *app, Error *err)
{
    ModelListing *listings;
    size_t n;
    StrBuf out = {0};
    if (!model_list_local(&app->arena, cli_model_cache(app), &listings, &n, err)) {
        return false;
    }
    bool ok = app_option(app, OPTION_JSON_ID)->given ? models_json(app, listings, n, &out, err)
                                                     : models_table(app, listings, n, &out, err);
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}
