#include "session/commands_internal.h"

#include <math.h>
#include <string.h>

static const float SCALES[] = {0.75f, 0.85f, 1.0f, 1.15f, 1.3f, 1.5f, 1.75f, 2.0f, 2.5f, 3.0f};

/* How it is shown. */

static bool do_help(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = s->panel == PANEL_HELP ? PANEL_NONE : PANEL_HELP;
    return true;
}

static bool do_settings(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = s->panel == PANEL_SETTINGS ? PANEL_NONE : PANEL_SETTINGS;
    return true;
}

static bool do_theme(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"night", "paper", "contrast"};
    if (!*a) {
        s->options.theme = (s->options.theme + 1) % 3;
        return true;
    }
    return command_read_choice(a, names, AS_COUNT(names), &s->options.theme, err);
}

static bool do_scale(Session *s, const char *a, Error *err)
{
    if (strcmp(a, "+") == 0 || strcmp(a, "-") == 0) {
        size_t at = 0;
        for (size_t i = 0; i < AS_COUNT(SCALES); i++) {
            at =
                fabsf(SCALES[i] - s->options.scale) < fabsf(SCALES[at] - s->options.scale) ? i : at;
        }
        at = *a == '+' ? AS_MIN(at + 1, AS_COUNT(SCALES) - 1) : at - (at > 0);
        s->options.scale = SCALES[at];
        return true;
    }
    double v = 0;
    if (!command_read_number(a, 0.25, 8, &v, err)) {
        return false;
    }
    s->options.scale = (float)v;
    return true;
}

static bool do_level(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"simple", "student", "engineer"};
    int level = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &level, err)) {
        return false;
    }
    s->options.level = (ExplainLevel)level;
    return true;
}

static bool do_map_scale(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"linear", "sqrt", "log"};
    int scale = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &scale, err)) {
        return false;
    }
    s->options.map_scale = (MapScale)scale;
    return true;
}

static bool do_rows(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"computed", "max"};
    int rows = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &rows, err)) {
        return false;
    }
    s->options.rows_normalised = rows;
    return true;
}

static bool do_lens(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->options.lens = !s->options.lens;
    return true;
}

static bool do_terms(Session *s, const char *a, Error *err)
{
    static const char *const names[] = {"order", "largest"};
    int largest = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &largest, err)) {
        return false;
    }
    s->options.terms_largest = largest;
    s->options.terms_from = 0;
    return true;
}

static bool do_terms_from(Session *s, const char *a, Error *err)
{
    int32_t n = s->trace ? trace_info(s->trace)->head_dim : INT32_MAX;
    return command_read_index(a, "dimension", n, &s->options.terms_from, err);
}

static bool do_fold(Session *s, const char *a, Error *err)
{
    static const char *const names[FOLD_COUNT] = {
        [FOLD_MADE] = "made",     [FOLD_ROW] = "row",
        [FOLD_WORDS] = "words",   [FOLD_PATTERNS] = "patterns",
        [FOLD_COLUMN] = "column", [FOLD_COUNTS] = "counts",
        [FOLD_LAYERS] = "layers", [FOLD_LEGEND] = "legend",
        [FOLD_LIMITS] = "limits", [FOLD_SET] = "set"};
    int fold = 0;
    if (!command_read_choice(a, names, AS_COUNT(names), &fold, err)) {
        return false;
    }
    s->options.folds_closed[fold] = !s->options.folds_closed[fold];
    return true;
}

static bool do_inspector(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->options.inspector_toggled = !s->options.inspector_toggled;
    return true;
}

static bool do_edit_text(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->wants_text_focus = true;
    return true;
}

static bool do_quit(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->wants_quit = true;
    return true;
}

const SessionCommand session_show_commands[] = {
    {"theme", "[night|paper|contrast]", "dark, light or strong; the next one without a name", false,
     do_theme},
    {"scale", "S|+|-", "size of text and lines", false, do_scale},
    {"level", "simple|student|engineer", "how things are explained", false, do_level},
    {"map-scale", "linear|sqrt|log", "how weights become colours", false, do_map_scale},
    {"rows", "computed|max", "colours as computed, or each row by its largest", false, do_rows},
    {"lens", "", "what would be predicted after each layer, or only after the last", false,
     do_lens},
    {"terms", "order|largest", "terms of a dot product as they stand, or by size", false, do_terms},
    {"terms-from", COMMAND_STEPS, "the first dimension whose numbers are shown", false,
     do_terms_from},
    {"fold", "made|row|words|patterns|column|counts|layers|legend|limits|set",
     "open or close a part of the inspector", false, do_fold},
    {"help", "", "show the keys", false, do_help},
    {"settings", "", "theme, size of text, explanations", false, do_settings},
    {"inspector", "", "open or close the inspector", false, do_inspector},
    {"edit-text", "", "put the cursor into the text", false, do_edit_text},
    {"quit", "", "close the window", false, do_quit},
    {0},
};
