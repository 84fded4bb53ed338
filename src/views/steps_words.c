#include "views/steps.h"

#include "base/embedded.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The explanation beside a step: texts of assets/explain/steps.txt with the numbers of this run. */

/* The rest of the line after "field = " in [topic]; false when there is none. */
static bool find_field(const char *text, const char *topic, const char *field, const char **value,
                       size_t *n)
{
    size_t n_topic = strlen(topic), n_field = strlen(field);
    bool inside = false;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");
        if (*line == '[') {
            inside = strncmp(line + 1, topic, n_topic) == 0 && line[1 + n_topic] == ']';
        } else if (inside && strncmp(line, field, n_field) == 0 &&
                   strncmp(line + n_field, " = ", 3) == 0) {
            *value = line + n_field + 3;
            *n = length - n_field - 3;
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

/* ---- what {names} stand for ---- */

static const char *sharing(StepsScene *s)
{
    const Lesson *l = s->l;
    int32_t per = l->n_heads / l->n_kv_heads;
    return per > 1
               ? draw_format(s->c->ui->list,
                             "K and V are shared by %d heads each (grouped queries): %d groups.",
                             per, l->n_kv_heads)
               : "Every head has its own K and V.";
}

static const char *mask_words(StepsScene *s)
{
    const TraceLayer *layer = trace_layer(s->session->trace, s->l->layer);
    TraceParams p = session_params(s->session);
    const char *chosen = p.mask == TRACE_MASK_CAUSAL ? "Set to causal by hand."
                         : p.mask == TRACE_MASK_NONE ? "Switched off by hand."
                         : layer->causal             ? "This model is causal by design."
                                                     : "This model reads both ways: M is 0.";
    return layer->window ? draw_format(s->c->ui->list, "%s This layer sees a window of %d.", chosen,
                                       layer->window)
                         : chosen;
}

/* What has been done to the rows of X before this layer. */
static const char *below(StepsScene *s)
{
    const int32_t layer = s->l->layer;
    return layer == 0 ? "This is the first layer: nothing has changed it yet."
                      : draw_format(s->c->ui->list, "%d layer%s below %s reworked it already.",
                                    layer, layer == 1 ? "" : "s", layer == 1 ? "has" : "have");
}

static const char *norm_words(const Lesson *l)
{
    return l->has_norm ? "The layer's norm rescales each row first; Q, K and V read the normed "
                         "rows, the stream itself goes on unchanged beside them."
           : l->has_model
               ? "There is no norm before attention here: Q, K and V read these rows, and "
                 "a norm follows once attention's output is added."
               : "Q, K and V are made of these rows.";
}

/* A topic told another way where its words would not be true: of pictures, of two texts, where
 * nothing is masked. */
static const char *variant_of(const StepsScene *s)
{
    const TraceInfo *info = trace_info(s->session->trace);
    int32_t first, end;
    trace_visible_keys(s->session->trace, s->l->layer, 0, &first, &end);
    if (s->kind == STEP_MASK) {
        return end - first == info->n_keys && info->n_keys > 1 ? "open" : "";
    }
    return s->l->cross ? "cross" : trace_image(s->session->trace) ? "image" : "";
}

static double length_of(const float *x, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; x && i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sqrt(sum);
}

static double cosine_of(const float *a, const float *b, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; a && b && i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    double lengths = length_of(a, n) * length_of(b, n);
    return lengths > 0 ? sum / lengths : 0;
}

static const char *whole(Ui *ui, int64_t value)
{
    return draw_format(ui->list, "%lld", (long long)value);
}

static const char *shape_name(StepsScene *s, const char *name, size_t n)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    const TraceInfo *info = trace_info(s->session->trace);
    int32_t first, end;
    trace_visible_keys(s->session->trace, l->layer, l->query, &first, &end);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"query_index", l->query},
                   {"vocabulary", info->n_vocab},
                   {"n", info->n_queries},
                   {"n_keys", info->n_keys},
                   {"window_n", l->n},
                   {"window_first", l->rows.first},
                   {"width", l->width},
                   {"layer", l->layer},
                   {"d_k", l->head_dim},
                   {"head", l->head},
                   {"heads", l->n_heads},
                   {"joined", (int64_t)l->n_heads * l->head_dim},
                   {"head_first", (int64_t)l->head * l->head_dim},
                   {"head_last", (int64_t)(l->head + 1) * l->head_dim - 1},
                   {"visible", end - first}};
    for (size_t i = 0; i < AS_COUNT(numbers); i++) {
        if (strlen(numbers[i].name) == n && strncmp(numbers[i].name, name, n) == 0) {
            return whole(ui, numbers[i].value);
        }
    }
    return NULL;
}

static const char *row_name(StepsScene *s, const char *name, size_t n)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    const LessonRow *row = &l->row;
    ptrdiff_t at = (ptrdiff_t)s->row * l->width;
    const float *x = l->x ? l->x + at : NULL;
    const float *added = l->attended ? l->attended + at : NULL;
    const float *after = l->after ? l->after + at : NULL;
    int32_t key = AS_MIN(s->session->selection.key, row->n_keys - 1);
    const float *scaled = steps_row_scaled(s);
    const struct {
        const char *name;
        double value;
        int places;
    } numbers[] = {{"sqrt", sqrt((double)l->head_dim), 2},
                   {"scale", (double)l->scale, 4},
                   {"dot", (double)row->dots[key], 2},
                   {"lse", (double)l->row_sum[s->row], 2},
                   {"entropy", lesson_entropy_bits(row->weights, row->n_keys), 2},
                   {"entropy_raw", lesson_entropy_bits(row->raw, row->n_keys), 2},
                   {"entropy_scaled", lesson_entropy_bits(scaled, row->n_keys), 2},
                   {"gradient_scaled", lesson_gradient(scaled, row->n_keys), 3},
                   {"gradient_raw", lesson_gradient(row->raw, row->n_keys), 3},
                   {"x_length", length_of(x, l->width), 2},
                   {"added_length", length_of(added, l->width), 2},
                   {"cosine", cosine_of(x, after, l->width), 4}};
    for (size_t i = 0; i < AS_COUNT(numbers); i++) {
        if (strlen(numbers[i].name) == n && strncmp(numbers[i].name, name, n) == 0) {
            return teach_fixed(ui, numbers[i].value, numbers[i].places);
        }
    }
    return NULL;
}

static bool is(const char *name, size_t n, const char *what)
{
    return strlen(what) == n && strncmp(name, what, n) == 0;
}

static const char *name_value(StepsScene *s, const char *name, size_t n)
{
    const LessonRow *row = &s->l->row;
    int32_t top = 0;
    for (int32_t j = 1; j < row->n_keys; j++) {
        top = row->weights[j] > row->weights[top] ? j : top;
    }
    if (is(name, n, "query")) {
        return label_of(s->c, s->l->query);
    }
    if (is(name, n, "key")) {
        return key_label_of(s->c, AS_MIN(s->session->selection.key, row->n_keys - 1));
    }
    if (is(name, n, "top")) {
        return key_label_of(s->c, top);
    }
    if (is(name, n, "top_share")) {
        return draw_format(s->c->ui->list, "%.0f", 100 * (double)row->weights[top]);
    }
    if (is(name, n, "sharing")) {
        return sharing(s);
    }
    if (is(name, n, "mask_words")) {
        return mask_words(s);
    }
    if (is(name, n, "below")) {
        return below(s);
    }
    if (is(name, n, "norm_words")) {
        return norm_words(s->l);
    }
    if (is(name, n, "norm_when")) {
        return s->l->has_norm ? " before the norm" : "";
    }
    const char *value = shape_name(s, name, n);
    return value ? value : row_name(s, name, n);
}

/* Numbers of rows that may not be held: what is said of them is left out then. */
static bool is_held(const StepsScene *s, const char *name, size_t n)
{
    const Lesson *l = s->l;
    return is(name, n, "x_length")                                ? l->x != NULL
           : is(name, n, "added_length") || is(name, n, "cosine") ? l->attended && l->after
                                                                  : true;
}

const char *steps_explain(StepsScene *s, const char *topic, const char *field)
{
    EmbeddedFile file;
    const char *text;
    size_t n;
    if (!embedded_find("assets/explain/steps.txt", &file)) {
        return "";
    }
    const char *special = draw_format(s->c->ui->list, "%s-%s", topic, variant_of(s));
    if (!find_field((const char *)file.data, special, field, &text, &n) &&
        !find_field((const char *)file.data, topic, field, &text, &n)) {
        return "";
    }
    const char *out = "";
    const char *end = text + n;
    while (text < end) {
        size_t plain = 0;
        while (text + plain < end && text[plain] != '{') {
            plain++;
        }
        size_t name = 0;
        const char *open = text + plain;
        while (open + 1 + name < end && open[1 + name] != '}') {
            name++;
        }
        const char *value =
            open < end && open + 1 + name < end ? name_value(s, open + 1, name) : NULL;
        if (value && !is_held(s, open + 1, name)) {
            return "";
        }
        /* Braces that are no name stand for themselves. */
        out = draw_format(s->c->ui->list, "%s%.*s%s", out, (int)plain, text,
                          value        ? value
                          : open < end ? "{"
                                       : "");
        text = value ? open + name + 2 : open + (open < end);
    }
    return out;
}

/* ---- the card ---- */

static void draw_note(StepsScene *s, Rect box, const char *text)
{
    Ui *ui = s->c->ui;
    Role role = role_softmax(ui);
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = color_mix(ui->theme.card, role.fill, 0.1f),
                                    .border = 1,
                                    .border_color = color_mix(ui->theme.card, role.fill, 0.4f)});
    ui_label(ui, rect(box.x + 12, box.y + 6, box.w - 24, 18),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 12, .color = role.text}, "In this run");
    RichText style = {.size = 12, .line = 18};
    teach_rich(ui, rect(box.x + 12, box.y + 25, box.w - 24, box.h - 30), &style, text);
}

Rect steps_tabs(StepsScene *s, Rect box)
{
    static const char *const items[] = {"Explain", "Try it"};
    if (!s->layout.tabs) {
        return box;
    }
    int now = s->session->options.try_open;
    if (ui_segmented(s->c->ui, UI_ID("steps-tabs"), rect(box.x, box.y, box.w, 28), items, 2, now) !=
        now) {
        session_post(s->session, "try");
    }
    return rect(box.x, box.y + 36, box.w, box.h - 36);
}

void steps_words(StepsScene *s)
{
    static const char *const names[LEVEL_COUNT] = {"simple", "student", "engineer"};
    static const char *const titles[LEVEL_COUNT] = {"Simple", "Student", "Engineer"};
    Ui *ui = s->c->ui;
    Rect box = s->layout.words;
    if (box.h < 120) {
        return;
    }
    ui_card(ui, box);
    bool small = box.w < 340;
    float pad = small ? 12 : 16;
    Rect in = steps_tabs(s, rect(box.x + pad, box.y + 12, box.w - 2 * pad, box.h - 24));
    int level = (int)s->session->options.level;
    int chosen = ui_segmented(ui, UI_ID("steps-level"), rect(in.x, in.y, in.w, 32), titles,
                              LEVEL_COUNT, level);
    if (chosen != level) {
        session_post(s->session, "level %s", names[chosen]);
    }
    const char *topic = step_topic(s->kind);
    float y = in.y + 42;
    ui_label(
        ui, rect(in.x, y, in.w, 28),
        &(UiLabel){.face = FONT_DISPLAY_SEMIBOLD, .size = small ? 16 : 20, .color = ui->theme.text},
        steps_explain(s, topic, "title"));
    y += small ? 30 : 36;
    RichText body = {.size = small ? 12 : 14, .line = small ? 18 : 22};
    const char *text = steps_explain(s, topic, names[level]);
    const char *here = steps_explain(s, topic, "here");
    const char *trial = draw_format(ui->list, "*Try:* %s", steps_explain(s, topic, "try"));
    RichText note = {.size = 12, .line = 18};
    float bottom = in.y + in.h;
    float need = teach_rich(ui, rect(0, 0, in.w, 0), &body, text);
    if (need > bottom - y) { /* smaller type before anything is cut */
        body = (RichText){.size = 12, .line = 17};
        need = teach_rich(ui, rect(0, 0, in.w, 0), &body, text);
    }
    float room = fminf(need, bottom - y);
    teach_rich(ui, rect(in.x, y, in.w, room), &body, text);
    y += room + 12;
    float here_h = 36 + teach_rich(ui, rect(0, 0, in.w - 24, 0), &note, here);
    if (*here && y + here_h <= bottom) {
        draw_note(s, rect(in.x, y, in.w, here_h), here);
        y += here_h + 12;
    }
    float trial_h = teach_rich(ui, rect(0, 0, in.w, 0), &note, trial);
    if (y + trial_h <= bottom) {
        teach_rich(ui, rect(in.x, y, in.w, trial_h), &note, trial);
    }
}
