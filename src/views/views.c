#include "views/views.h"

#include "views/architecture.h"
#include "views/internal.h"
#include "views/mathematics.h"
#include "views/mechanism.h"
#include "views/steps.h"

#include <math.h>
#include <string.h>

static const ViewDef defs[VIEW_COUNT] = {
    [VIEW_OVERVIEW] =
        {.icon = ICON_OVERVIEW,
         .help = "The text as token chips, the heatmap of all heads together, a grid of every "
                 "head, the three most striking ones with why, and the model's prediction.",
         .folds_inspector = true,
         .draw = overview_draw},
    [VIEW_MECHANISM] =
        {.icon = ICON_MECHANISM,
         .needs_operands = true,
         .help = "How one token gathers meaning from the others: queries, keys and values, "
                 "scores, softmax and the weighted sum, side by side on the real numbers.",
         .folds_inspector = true,
         .draw = mechanism_draw,
         .timeline = mechanism_timeline},
    [VIEW_STEPS] =
        {.icon = ICON_STEPS,
         .needs_operands = true,
         .help = "Attention one stage at a time, from tokens to the output, with every matrix, "
                 "its shape, and an animation of how its numbers come from the last ones.",
         .folds_inspector = true,
         .draw = steps_draw,
         .timeline = steps_timeline,
         .step_name = steps_step_name,
         .state_bytes = sizeof(StepsView)},
    [VIEW_MATRIX] =
        {.icon = ICON_MATRIX,
         .help = "One head as a heatmap: every weight between every two tokens, exact, from one "
                 "cell to the whole.",
         .draw = matrix_draw,
         .command = matrix_command,
         .commands = matrix_commands},
    [VIEW_HEADS] =
        {.icon = ICON_HEADS,
         .help = "Every head of every layer as a small heatmap, with the pattern it follows and "
                 "how strongly, to sort and filter.",
         .draw = heads_draw,
         .inspect = heads_inspect},
    [VIEW_FLOW] =
        {.icon = ICON_FLOW,
         .help = "Attention as curves between tokens, as wide as their weight, with particles "
                 "that carry what is read.",
         .draw = flow_draw,
         .timeline = flow_timeline,
         .state_bytes = sizeof(FlowView),
         .free_state = flow_view_free,
         .command = flow_command,
         .commands = flow_commands},
    [VIEW_STACK] = {.icon = ICON_STACK,
                    .help =
                        "The network in space: one sheet per layer with its heatmap on it, and the "
                        "paths of a token through all of them.",
                    .draw = stack_draw,
                    .inspect = stack_inspect,
                    .timeline = stack_timeline,
                    .state_bytes = sizeof(StackView),
                    .free_state = stack_free,
                    .command = stack_command,
                    .commands = stack_commands},
    [VIEW_ANALYSIS] =
        {.icon = ICON_ANALYSIS,
         .help = "What each head does: its pattern with scores, entropy, distance and sink mass, "
                 "which heads are alike, and what changes when one is taken out.",
         .comes_with = "It comes with the Analyse part of the road map."},
    [VIEW_MATHEMATICS] =
        {.icon = ICON_MATHEMATICS,
         .needs_operands = true,
         .help = "The formulas with the chosen tokens' real numbers in them, shapes at every "
                 "step, and the dot product opened term by term.",
         .draw = mathematics_draw,
         .timeline = mathematics_timeline,
         .step_name = mathematics_step_name,
         .state_bytes = sizeof(MathState),
         .free_state = mathematics_free},
    [VIEW_ARCHITECTURE] =
        {.icon = ICON_ARCHITECTURE,
         .help = "The loaded model as a diagram with its real shapes; a click on a block leads "
                 "to what happens in it.",
         .folds_inspector = true,
         .draw = architecture_draw,
         .timeline = architecture_timeline,
         .step_name = architecture_step_name},
    [VIEW_BENCH] = {.icon = ICON_BENCH,
                    .help = "How fast attention runs here, against the most this machine can do.",
                    .comes_with =
                        "It comes with the benchmark part of the road map; `attnscope bench` "
                        "measures already."},
};

const ViewDef *view_def(ViewId id)
{
    AS_ASSERT((size_t)id < VIEW_COUNT);
    return &defs[id];
}

/* ---- small things ---- */

const char *label_of(ViewContext *c, int32_t token)
{
    char label[TOKEN_LABEL_MAX];
    return draw_format(c->ui->list, "%s", session_label(c->session, token, label));
}

const char *key_label_of(ViewContext *c, int32_t key)
{
    char label[TOKEN_LABEL_MAX];
    return draw_format(c->ui->list, "%s", session_key_label(c->session, key, label));
}

/* Equal tokens are equal in colour: the colour goes by where the token first stands. */
Color token_color(const ViewContext *c, int32_t token)
{
    const int32_t *first = c->session->first_same;
    return color_token(first ? first[token] : token);
}

Color key_token_color(const ViewContext *c, int32_t key)
{
    const int32_t *first = c->session->first_same_key;
    return color_token(first ? first[key] : key);
}

Color pattern_color(Pattern pattern)
{
    static const uint32_t colors[PATTERN_COUNT] = {
        [PATTERN_PREVIOUS] = 0x71B4FF,  [PATTERN_NEXT] = 0x9DB0FF,      [PATTERN_SELF] = 0xC699F8,
        [PATTERN_SINK] = 0x93A2D0,      [PATTERN_SEPARATOR] = 0xB3B08C, [PATTERN_LOCAL] = 0x17D0D8,
        [PATTERN_INDUCTION] = 0xFF8E86, [PATTERN_DUPLICATE] = 0xF2AF48, [PATTERN_GLOBAL] = 0x72D48A,
        [PATTERN_CONTENT] = 0xFF93C9,   [PATTERN_LONG] = 0xE58F5B,
    };
    return color_hex(colors[pattern]);
}

Colormap weight_map(const Ui *ui)
{
    switch (ui->theme.id) {
    case THEME_PAPER:
        return COLORMAP_PURPLES;
    case THEME_CONTRAST:
        return COLORMAP_INFERNO;
    default:
        return COLORMAP_MAGMA_NIGHT;
    }
}

Scale weight_scale(const Session *session)
{
    switch (session->options.map_scale) {
    case MAP_LINEAR:
        return (Scale){.kind = SCALE_LINEAR, .lo = 0, .hi = 1};
    case MAP_SQRT:
        return (Scale){.kind = SCALE_SQRT, .lo = 0, .hi = 1};
    default:
        return (Scale){.kind = SCALE_LOG, .lo = 1e-4f, .hi = 1};
    }
}

/* ---- the window ---- */

static bool view_command(void *payload, Session *session, const char *name, const char *arguments,
                         Error *err)
{
    const ViewDef *def = view_def(session->view);
    if (def->command && def->command(payload, session, name, arguments, err)) {
        return true;
    }
    for (const ViewCommand *c = def->commands; c && c->name && err && !err->code; c++) {
        if (strcmp(c->name, name) == 0) {
            error_set(err, ERR_USAGE, "expected %s %s", c->name, c->arguments);
        }
    }
    return false;
}

Views *views_create(Session *session, const ViewsDesc *desc, Error *err)
{
    Views *views = mem_alloc_zeroed(1, sizeof *views, err);
    for (int i = 0; views && i < VIEW_COUNT; i++) {
        if (defs[i].state_bytes &&
            !(views->states[i] = mem_alloc_zeroed(1, defs[i].state_bytes, err))) {
            views_destroy(&views);
        }
    }
    if (views) {
        views->desc = *desc;
        views->fold_first = FOLD_MADE;
        session->view_command = view_command;
        session->view_payload = views;
    }
    return views;
}

void views_destroy(Views **views)
{
    if (!*views) {
        return;
    }
    matrix_free(&(*views)->matrix);
    overview_free(&(*views)->overview);
    heads_free(&(*views)->heads);
    palette_free(&(*views)->palette);
    chrome_open_free(&(*views)->open);
    for (int i = 0; i < VIEW_COUNT; i++) {
        if ((*views)->states[i] && defs[i].free_state) {
            defs[i].free_state((*views)->states[i]);
        }
        mem_free((*views)->states[i]);
    }
    arena_destroy(&(*views)->model_arena);
    mem_free(*views);
    *views = NULL;
}

void *view_state(Views *views, ViewId id)
{
    AS_ASSERT(views->states[id]);
    return views->states[id];
}

static void draw_stage(ViewContext *c, Rect stage)
{
    const Session *s = c->session;
    const ViewDef *def = view_def(s->view);
    draw_push_clip(c->ui->list, stage);
    if (!def->draw) {
        stage_not_built(c, stage, s->view);
    } else if (s->error.code) {
        stage_error(c, stage);
    } else if (!s->trace) {
        stage_loading(c, stage);
    } else if (!session_layer_ready(s)) {
        stage_layer_pending(c, stage);
    } else if (def->needs_operands && trace_info(s->trace)->weights_only) {
        stage_weights_only(c, stage);
    } else {
        def->draw(c, stage);
    }
    draw_pop_clip(c->ui->list);
}

void views_frame(Views *views, Ui *ui, Session *session)
{
    ViewContext c = {ui, session, views};
    views->settled = true;
    tiles_begin_frame(&session->tiles);
    const ViewDef *def = view_def(session->view);
    Timeline timeline = {0};
    if (def->timeline && session->trace) {
        def->timeline(views, session, &timeline);
    }
    playback_describe(session, &timeline);
    float w = ui->width;
    float h = ui->height;
    bool transport = h >= 540;
    float low = h - STATUS_PX - (transport ? TRANSPORT_PX : 0);
    /* In a narrow window the inspector lies over the stage, and only when it is asked for. */
    bool narrow = w < 1080;
    bool folded = narrow || view_def(session->view)->folds_inspector;
    bool open = folded == session->options.inspector_toggled;
    float right = w - (open && !narrow ? INSPECTOR_PX : FOLDED_PX);
    float story = session_story(session) ? STORY_PX : 0;
    Rect stage = {RAIL_PX, TOP_PX, right - RAIL_PX, low - TOP_PX - story};
    Rect inspector = {w - INSPECTOR_PX, TOP_PX, INSPECTOR_PX, low - TOP_PX};
    /* What lies below something else does not see the pointer there. */
    Rect all = {0, 0, w, h};
    Rect covered = session->panel ? all : (Rect){0};
    /* In the order that Tab goes. The rail comes last: its keys are on it. */
    ui->shield = covered;
    chrome_top(&c, rect(RAIL_PX, 0, w - RAIL_PX, TOP_PX));
    ui->shield = session->panel ? all : open && narrow ? inspector : (Rect){0};
    draw_stage(&c, stage);
    ui->shield = covered;
    if (story > 0) {
        chrome_story(&c, rect(stage.x, stage.y + stage.h, stage.w, story));
    }
    if (open) {
        chrome_inspector(&c, inspector);
    } else {
        chrome_inspector_folded(&c, rect(right, TOP_PX, FOLDED_PX, low - TOP_PX));
    }
    if (transport) {
        chrome_transport(&c, rect(RAIL_PX, low, w - RAIL_PX, TRANSPORT_PX));
    }
    chrome_rail(&c, rect(0, 0, RAIL_PX, h - STATUS_PX));
    chrome_status(&c, rect(0, h - STATUS_PX, w, STATUS_PX));
    ui->shield = (Rect){0};
    if (session->panel == PANEL_PALETTE) {
        chrome_palette(&c, all);
    } else if (session->panel == PANEL_OPEN) {
        chrome_open(&c, all);
    } else {
        chrome_panel(&c, all);
    }
}

bool views_settled(const Views *views)
{
    return views->settled;
}
