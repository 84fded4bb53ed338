#include "app/info_machine.h"

#include "app/cli.h"
#include "app/gpu_tiles.h"
#include "attention/attention.h"
#include "gfx/headless.h"

#include <stdio.h>

/* A window may get another context than this one; its status line tells. */
static void find_tiles(const App *app, char name[GPU_TILES_NAME])
{
    enum { PX = 16 };
    Error err = {0};
    if (!gpu_tiles_wanted(app)) {
        gpu_tiles_choose(app, NULL, 0, name, NULL);
        return;
    }
    Headless *headless = headless_create(PX, PX, &err);
    Gfx *gfx = headless ? gfx_create(headless_proc, &err) : NULL;
    if (gfx) {
        Evaluator *evaluator = gpu_tiles_choose(app, gfx, 0, name, NULL);
        evaluator_destroy(evaluator);
    } else {
        snprintf(name, GPU_TILES_NAME, "on the processor (%.160s)", err.message);
    }
    gfx_destroy(gfx);
    headless_destroy(headless);
}

static const char *list_isas(const char *before, const char *between, char *out, size_t n_out)
{
    AttnIsa list[ATTN_ISA_COUNT];
    int n = attn_isa_available(list);
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < n && used < n_out; i++) {
        used += (size_t)snprintf(out + used, n_out - used, "%s%s%s%s", i ? between : "", before,
                                 attn_isa_name(list[i]), before);
    }
    return out;
}

bool info_machine(const App *app, bool json, StrBuf *out, Error *err)
{
    char message[256] = "";
    char isas[96];
    char tiles[GPU_TILES_NAME];
    AttnCtx *ctx = NULL;
    if (attn_ctx_create(NULL, &ctx, message, sizeof message) != ATTN_OK) {
        return error_set(err, ERR_UNSUPPORTED, "%s", message);
    }
    const char *isa = attn_ctx_isa_name(ctx);
    int threads = attn_ctx_threads(ctx);
    attn_ctx_destroy(&ctx);
    find_tiles(app, tiles);
    bool wanted = gpu_tiles_wanted(app);
    const char *wish = app_option(app, OPTION_GPU_TILES_ID)->text;
    if (json) {
        return strbuf_printf(out, err,
                             "\"machine\":{\"kernels\":\"%s\",\"available\":[%s],\"threads\":%d,"
                             "\"gpu_tiles\":\"%s\",\"tiles\":",
                             isa, list_isas("\"", ",", isas, sizeof isas), threads, wish) &&
               cli_json_string(out, tiles, err) && strbuf_puts(out, "}", err);
    }
    return strbuf_printf(out, err, "%-14s%s on %d thread%s (ATTNSCOPE_ISA chooses: %s)\n",
                         "kernels", isa, threads, threads == 1 ? "" : "s",
                         list_isas("", ", ", isas, sizeof isas)) &&
           strbuf_printf(out, err, "%-14s%s%s%s\n", "tiles", wanted ? wish : "", wanted ? ": " : "",
                         tiles);
}
