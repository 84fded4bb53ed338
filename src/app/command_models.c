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

static bool models_json(const ModelListing *listings, size_t n, StrBuf *out, Error *err)
{
    bool ok = strbuf_puts(out, "{\"installed\":[", err);
    for (size_t i = 0; i < n && ok; i++) {
        ok = strbuf_puts(out, i ? ",\n{\"model\":" : "\n{\"model\":", err) &&
             cli_json_string(out, listings[i].spec, err) && strbuf_puts(out, ",\"where\":", err) &&
             cli_json_string(out, listings[i].where, err) && strbuf_puts(out, ",\"path\":", err) &&
             cli_json_string(out, listings[i].path, err) && strbuf_puts(out, "}", err);
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

static bool models_table(const ModelListing *listings, size_t n, StrBuf *out, Error *err)
{
    size_t widest = 0;
    for (size_t i = 0; i < n; i++) {
        widest = AS_MAX(widest, strlen(listings[i].spec));
    }
    bool ok = strbuf_puts(out, "Installed (--model …)\n", err);
    for (size_t i = 0; i < n && ok; i++) {
        ok = strbuf_printf(out, err, "  %-*s  %s\n", (int)AS_MIN(widest, 60u), listings[i].spec,
                           listings[i].where);
    }
    ok = ok && strbuf_puts(out, "\nCan be fetched with models/fetch.sh NAME\n", err);
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
    bool ok = app_option(app, OPTION_JSON_ID)->given ? models_json(listings, n, &out, err)
                                                     : models_table(listings, n, &out, err);
    if (ok) {
        cli_print(&out);
    }
    strbuf_free(&out);
    return ok;
}
