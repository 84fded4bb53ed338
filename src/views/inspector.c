#include "views/inspector.h"

#include <math.h>

#include "views/internal.h"

enum { PAD = 16, TOP_KEYS = 4, PATTERNS_SHOWN = 5 };

InspectorPitch inspector_pitch(const ViewContext *c)
{
    return c->ui->height < 800 ? (InspectorPitch){31, 20, 58} : (InspectorPitch){34, 22, 62};
}

void inspector_pair(Ui *ui, Rect box, const char *name, const char *value, Color color)
{
    float w = ui_text_width(ui, FONT_MONO, 12, value);
    ui_label(ui, rect(box.x + box.w - w, box.y, w + 1, box.h),
             &(UiLabel){.face = FONT_MONO, .size = 12, .color = color}, value);
    ui_label(ui, rect(box.x, box.y, box.w - w - 12, box.h), &(UiLabel){.face = FONT_SANS}, name);
}

/* ---- the two tokens and the weight ---- */

static float chip_width(Ui *ui, const char *text, float most)
{
    return AS_CLAMP(ui_text_width(ui, FONT_SANS_SEMIBOLD, 14, text) + 28, 72, most);
}

static float draw_pair(ViewContext *c, Rect box, const Reading *r)
{
    Ui *ui = c->ui;
    const char *query = label_of(c, r->query);
    const char *key = key_label_of(c, r->key);
    float reads = ui_text_width(ui, FONT_SANS, 12, "reads");
    float most = (box.w - reads - 24) / 2;
    float qw = chip_width(ui, query, most);
    float kw = chip_width(ui, key, most);
    ui_chip(
        ui, rect(box.x, box.y, qw, 28),
        &(UiChip){.text = query, .color = token_color(c, r->query), .chosen = true, .size = 14});
    ui_label(ui, rect(box.x + qw + 12, box.y, reads + 1, 28), &(UiLabel){.face = FONT_SANS},
             "reads");
    float kx = box.x + qw + reads + 24;
    ui_chip(
        ui, rect(kx, box.y, kw, 28),
        &(UiChip){.text = key, .color = key_token_color(c, r->key), .chosen = true, .size = 14});
    UiLabel small = {.face = FONT_MONO, .size = 11, .align = DRAW_CENTER, .color = ui->theme.text3};
    ui_label(ui, rect(box.x - 4, box.y + 32, qw + 8, 18), &small,
             draw_format(ui->list, "query %d", r->query));
    ui_label(ui, rect(kx - 4, box.y + 32, kw + 8, 18), &small,
             draw_format(ui->list, "key %d", r->key));
    float y = box.y + 58;
    const char *weight =
        r->cell.visible ? draw_format(ui->list, "%.6f", (double)r->cell.weight) : "masked";
    float w = ui_label(ui, rect(box.x, y, box.w, 36),
                       &(UiLabel){.face = FONT_MONO, .size = 28, .color = ui->theme.text}, weight);
    const char *rank = r->cell.visible ? draw_format(ui->list, "rank %d of %d", r->cell.rank + 1,
                                                     r->cell.visible_keys)
                                       : "not there";
    ui_label(ui, rect(box.x + w + 12, y + 6, box.w - w - 12, 24),
             &(UiLabel){.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT}, rank);
    return 58 + 36 + 10;
}

/* ---- how this weight is made ---- */

/* As many digits as a float of this size holds. */
static const char *exact(Ui *ui, double value)
{
    return draw_format(ui->list, fabs(value) < 100 ? "%.6f" : "%.4f", value);
}

static const char *FORMULA = "w_{ij} = \\up{exp} \\paren{\\frac{\\c1{q_i} · \\c2{k_j}}"
                             "{\\sqrt{d_k}} − \\up{LSE}_i}";

static bool plain_scale(const Session *s, const Reading *r)
{
    double root = sqrt((double)trace_info(s->trace)->head_dim);
    return fabs((double)r->cell.scale * root - 1) < 1e-4;
}

/* "÷ √64", "÷ √64 ÷ 0.70" or, for models with a scale of their own, "× 0.0884". */
static const char *scale_name_of(ViewContext *c, const Reading *r)
{
    const Session *s = c->session;
    int dim = trace_info(s->trace)->head_dim;
    if (plain_scale(s, r)) {
        return draw_format(c->ui->list, "÷ √%d", dim);
    }
    double t = (double)session_params(s).temperature;
    double root = sqrt((double)dim);
    if (t > 0 && fabs((double)r->cell.scale * root * t - 1) < 1e-4) {
        return draw_format(c->ui->list, "÷ √%d ÷ T = %.4g", dim, t);
    }
    return draw_format(c->ui->list, "× %.6g", (double)r->cell.scale);
}

static const char *mask_text(ViewContext *c, const Reading *r)
{
    if (!r->cell.visible) {
        return r->key > r->query ? "later key, −∞" : "outside, −∞";
    }
    double bias = (double)r->cell.bias;
    return draw_format(c->ui->list, bias < 0 ? "visible, − %g" : "visible, + %g", fabs(bias));
}

static float draw_made(ViewContext *c, Rect box, const void *payload)
{
    const Reading *r = payload;
    InspectorPitch pitch = inspector_pitch(c);
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    if (trace_info(c->session->trace)->weights_only) {
        ui_label(ui, rect(box.x, box.y, box.w, pitch.row), &(UiLabel){.color = t->text},
                 "imported: the weight as it was given");
        return pitch.row;
    }
    Color colors[] = {t->q_text, t->k_text};
    Formula style = {.size = 18, .colors = colors, .n_colors = 2};
    float fw;
    float up;
    float down;
    ui_formula_measure(ui, &style, FORMULA, &fw, &up, &down);
    style.size = fminf(18, 18 * box.w / fmaxf(fw, 1));
    ui_formula(ui, vec2(box.x, roundf(box.y + 8 + up)), &style, FORMULA);
    float y = box.y + pitch.formula;
    const TraceLayer *layer = trace_layer(c->session->trace, r->layer);
    inspector_pair(ui, rect(box.x, y, box.w, pitch.row), "q · k", exact(ui, (double)r->cell.qk),
                   t->text);
    y += pitch.row;
    inspector_pair(ui, rect(box.x, y, box.w, pitch.row), scale_name_of(c, r),
                   exact(ui, (double)r->cell.qk * (double)r->cell.scale), t->text);
    y += pitch.row;
    if (layer->soft_cap > 0) {
        inspector_pair(ui, rect(box.x, y, box.w, pitch.row), "soft cap",
                       draw_format(ui->list, "± %g", (double)layer->soft_cap), t->text);
        y += pitch.row;
    }
    inspector_pair(ui, rect(box.x, y, box.w, pitch.row), "Mask", mask_text(c, r), t->text);
    y += pitch.row;
    inspector_pair(ui, rect(box.x, y, box.w, pitch.row), "Log-sum-exp of the row",
                   exact(ui, (double)r->cell.lse), t->text);
    y += pitch.row;
    inspector_pair(ui, rect(box.x, y, box.w, pitch.row), "exp(score − LSE)",
                   r->cell.visible ? draw_format(ui->list, "%.6f", (double)r->cell.weight)
                                   : "exp(−∞) = 0",
                   color_mix(t->text, color_head(r->head), t->dark ? 0.75f : 0.6f));
    return y + pitch.row - box.y;
}

static float made_height(ViewContext *c, const Reading *r)
{
    InspectorPitch pitch = inspector_pitch(c);
    const TraceLayer *layer = trace_layer(c->session->trace, r->layer);
    if (trace_info(c->session->trace)->weights_only) {
        return pitch.row + 8;
    }
    return pitch.formula + pitch.row * (layer->soft_cap > 0 ? 6.0f : 5.0f) + 8;
}

/* ---- the row, the column, the head ---- */

/* Where a bar_row has its bar. */
static Rect bar_box(Ui *ui, Rect row)
{
    float value_w = ui_text_width(ui, FONT_MONO, 12, "0.000");
    float x = row.x + floorf(row.w * 0.32f) + 6;
    return rect(x, row.y + row.h / 2 - 4, row.x + row.w - value_w - 12 - x, 8);
}

static void bar_row(ViewContext *c, Rect box, const char *name, const char *number, float value,
                    Color color, bool on)
{
    Ui *ui = c->ui;
    float value_w = ui_text_width(ui, FONT_MONO, 12, "0.000");
    float name_w = floorf(box.w * 0.32f);
    float nw = number ? ui_text_width(ui, FONT_MONO, 11, number) : 0;
    Color text = on ? ui->theme.text : ui->theme.text2;
    float label_w =
        ui_label(ui, rect(box.x, box.y, name_w - (number ? nw + 6 : 0), box.h),
                 &(UiLabel){.face = on ? FONT_SANS_MEDIUM : FONT_SANS, .color = text}, name);
    if (number) {
        ui_label(ui, rect(box.x + label_w + 6, box.y, nw + 1, box.h),
                 &(UiLabel){.face = FONT_MONO, .size = 11, .color = ui->theme.text3}, number);
    }
    ui_bar(ui, bar_box(ui, box), value, color);
    ui_label(ui, rect(box.x + box.w - value_w, box.y, value_w + 1, box.h),
             &(UiLabel){.face = FONT_MONO, .size = 12, .color = text},
             draw_format(ui->list, "%.3f", (double)value));
}

static float draw_row(ViewContext *c, Rect box, const void *payload)
{
    const Reading *r = payload;
    InspectorPitch pitch = inspector_pitch(c);
    const Theme *t = &c->ui->theme;
    size_t n = AS_MIN(r->n_top, (size_t)TOP_KEYS);
    for (size_t i = 0; i < n; i++) {
        bool on = r->top[i].key == r->key;
        bar_row(c, rect(box.x, box.y + pitch.row * (float)i, box.w, pitch.row),
                key_label_of(c, r->top[i].key), draw_format(c->ui->list, "%d", r->top[i].key),
                r->top[i].weight, on ? color_head(r->head) : color_mix(t->track, t->accent, 0.55f),
                on);
    }
    return pitch.row * (float)n;
}

static float draw_words(ViewContext *c, Rect box, const void *payload)
{
    return inspector_words(c, box, words_about(c, payload));
}

static int known_patterns(const PatternScores *p)
{
    int n = 0;
    for (int i = 0; i < PATTERN_COUNT; i++) {
        n += p->known[i];
    }
    return n;
}

static float draw_patterns(ViewContext *c, Rect box, const void *payload)
{
    InspectorPitch pitch = inspector_pitch(c);
    (void)payload;
    Ui *ui = c->ui;
    const PatternScores *p = session_patterns(c->session);
    float y = box.y;
    Pattern order[PATTERN_COUNT];
    if (p) {
        pattern_order(p, order);
    }
    for (int at = 0; p && at < AS_MIN(known_patterns(p), PATTERNS_SHOWN); at++) {
        Pattern i = order[at];
        Rect row = {box.x, y, box.w, pitch.row};
        bool on = (int)i == p->best;
        bar_row(c, row, pattern_text(i)->title, NULL, p->score[i],
                color_mix(ui->theme.track, pattern_color(i), on ? 1 : 0.7f), on);
        Rect bar = bar_box(ui, row);
        draw_rect(ui->list, &(DrawRect){.box = {ui_snap(ui, bar.x + bar.w * pattern_limit(i)),
                                                bar.y - 2, 1, bar.h + 4},
                                        .fill = color_with_alpha(ui->theme.text, 0.7f)});
        y += pitch.row;
    }
    return y - box.y;
}

static float patterns_height(ViewContext *c)
{
    InspectorPitch pitch = inspector_pitch(c);
    const PatternScores *p = session_patterns(c->session);
    int n = p ? AS_MIN(known_patterns(p), PATTERNS_SHOWN) : 0;
    return pitch.row * (float)n + 8;
}

static float draw_column(ViewContext *c, Rect box, const void *payload)
{
    const Reading *r = payload;
    InspectorPitch pitch = inspector_pitch(c);
    Ui *ui = c->ui;
    inspector_pair(ui, rect(box.x, box.y, box.w, pitch.row), "read by",
                   draw_format(ui->list, "%d queries", r->n_readers), ui->theme.text);
    inspector_pair(ui, rect(box.x, box.y + pitch.row, box.w, pitch.row), "mean weight",
                   draw_format(ui->list, "%.6f", r->n_readers ? r->received / r->n_readers : 0),
                   ui->theme.text);
    int32_t most = 0;
    int32_t n = trace_info(c->session->trace)->n_queries;
    for (int32_t i = 0; i < n; i++) {
        most = r->column[i] > r->column[most] ? i : most;
    }
    inspector_pair(
        ui, rect(box.x, box.y + 2 * pitch.row, box.w, pitch.row), "most by",
        draw_format(ui->list, "%s %d: %.6f", label_of(c, most), most, (double)r->column[most]),
        ui->theme.text);
    return 3 * pitch.row;
}

/* ---- the whole ---- */

float inspector_words(ViewContext *c, Rect box, const char *words)
{
    static const char *const items[] = {"Simple", "Student", "Engineer"};
    static const char *const names[] = {"simple", "student", "engineer"};
    Ui *ui = c->ui;
    int now = (int)c->session->options.level;
    int chosen = ui_segmented(ui, UI_ID("level"), rect(box.x, box.y, box.w, 28), items, 3, now);
    if (chosen != now) {
        session_post(c->session, "level %s", names[chosen]);
    }
    UiLabel style = {.face = FONT_SANS, .size = 12};
    float h = ui_paragraph(ui, rect(box.x, box.y + 38, box.w, box.h - 38), &style, 18, words);
    return 38 + h;
}

/* Room for a few lines more than are needed, so that folds do not open and close by themselves as
 * the pointer moves. */
float inspector_words_height(ViewContext *c, float width, const char *words)
{
    UiLabel style = {.face = FONT_SANS, .size = 12};
    float h = ui_paragraph_height(c->ui, width, &style, 18, words);
    return 38 + fmaxf(h, 4 * 18) + 6;
}

void inspector_parts(ViewContext *c, Rect box, const InspectorPart *parts, int n,
                     const void *payload)
{
    InspectorPitch pitch = inspector_pitch(c);
    /* Every header is there; bodies open as long as there is room, the one opened last first. */
    bool open[FOLD_COUNT] = {false};
    float room = box.h - pitch.header * (float)n;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < n; i++) {
            bool first = parts[i].fold == c->views->fold_first;
            if (open[i] || (pass == 0) != first ||
                c->session->options.folds_closed[parts[i].fold] || parts[i].height > room) {
                continue;
            }
            open[i] = true;
            room -= parts[i].height;
        }
    }
    float y = box.y;
    for (int i = 0; i < n; i++) {
        Fold fold = parts[i].fold;
        ui_hairline_h(c->ui, box.x, y, box.w);
        bool closed = c->session->options.folds_closed[fold];
        if (ui_fold_header(c->ui, ui_id("fold", (int)fold),
                           rect(box.x, y + 1, box.w, pitch.header - 1), parts[i].title,
                           parts[i].note, open[i])) {
            if (open[i] || closed) {
                session_post(c->session, "fold %s", parts[i].name);
            }
            if (!open[i]) {
                c->views->fold_first = fold;
            }
        }
        y += pitch.header;
        if (open[i]) {
            parts[i].draw(c, rect(box.x, y, box.w, parts[i].height), payload);
            y += parts[i].height;
        }
    }
}

static void draw_parts(ViewContext *c, Rect box, const Reading *r)
{
    InspectorPitch pitch = inspector_pitch(c);
    Ui *ui = c->ui;
    const char *query = label_of(c, r->query);
    const char *key = key_label_of(c, r->key);
    const InspectorPart parts[] = {
        {FOLD_MADE, "made", "How this weight is made", NULL, made_height(c, r), draw_made},
        {FOLD_ROW, "row", draw_format(ui->list, "Row of “%s”, %d", query, r->query),
         draw_format(ui->list, "entropy %.2f bits", (double)r->cell.row.entropy / log(2.0)),
         pitch.row * (float)AS_MIN(r->n_top, (size_t)TOP_KEYS) + 8, draw_row},
        {FOLD_WORDS, "words", "In words", NULL, inspector_words_height(c, box.w, words_about(c, r)),
         draw_words},
        {FOLD_PATTERNS, "patterns", "Head patterns", "mean over queries", patterns_height(c),
         draw_patterns},
        {FOLD_COLUMN, "column", draw_format(ui->list, "Column of “%s”, %d", key, r->key),
         draw_format(ui->list, "mass %.2f", r->received), 3 * pitch.row + 8, draw_column},
    };
    inspector_parts(c, box, parts, AS_COUNT(parts), r);
}

void chrome_inspector(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    draw_rect(ui->list, &(DrawRect){.box = bar, .fill = ui->theme.bar});
    ui_hairline_v(ui, bar.x, bar.y, bar.h);
    Rect box = {bar.x + PAD, bar.y + 12, bar.w - 2 * PAD, bar.h - 20};
    ui_label(ui, rect(box.x, box.y, box.w - 40, 28),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = ui->theme.text},
             "Inspector");
    if (ui_icon_button(ui, UI_ID("inspector"), rect(box.x + box.w - 28, box.y, 28, 28),
                       ICON_CHEVRON_RIGHT, "fold the inspector")) {
        session_post(c->session, "inspector");
    }
    const ViewDef *def = view_def(c->session->view);
    if (def->inspect && c->session->trace) {
        def->inspect(c, rect(box.x, box.y + 42, box.w, box.h - 42));
        return;
    }
    const Reading *r = session_reading(c->session);
    if (!r) {
        ui_paragraph(ui, rect(box.x, box.y + 44, box.w, 80), &(UiLabel){.face = FONT_SANS}, 18,
                     "The numbers of the weight under the pointer stand here once its layer is "
                     "computed.");
        return;
    }
    float y = box.y + 42;
    y += draw_pair(c, rect(box.x, y, box.w, 110), r);
    draw_parts(c, rect(box.x, y, box.w, box.y + box.h - y), r);
}

void chrome_inspector_folded(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    draw_rect(ui->list, &(DrawRect){.box = bar, .fill = ui->theme.bar});
    ui_hairline_v(ui, bar.x, bar.y, bar.h);
    if (ui_icon_button(ui, UI_ID("inspector"), rect(bar.x + 6, bar.y + 12, 28, 28),
                       ICON_CHEVRON_LEFT, "open the inspector")) {
        session_post(c->session, "inspector");
    }
    FontMetrics m = font_metrics(ui->fonts, FONT_SANS_MEDIUM, 12);
    draw_text(ui->list, &(DrawText){.face = FONT_SANS_MEDIUM,
                                    .size = 12,
                                    .color = ui->theme.text2,
                                    .text = "Inspector",
                                    .turn = TEXT_UP,
                                    .align = DRAW_RIGHT,
                                    .at = {bar.x + bar.w / 2 + m.cap_height / 2, bar.y + 56}});
}
