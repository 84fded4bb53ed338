#include "views/steps.h"

#include <math.h>

/* The first step: a text cut into tokens, or a picture into patches. */

typedef struct TokenLine {
    StepsScene *s;
    Rect in;
    float x, y;
    float size; /* of the letters; all else goes with it */
    float used; /* height of all */
    int k;
} TokenLine;

static const float TOKEN_SIZES[] = {24, 20, 17, 14};

static float token_width(const TokenLine *line, int32_t token)
{
    const float size = line->size;
    float w = ui_text_width(line->s->c->ui, FONT_SANS_MEDIUM, size, label_of(line->s->c, token));
    return AS_CLAMP(w + 1.6f * size, 2.4f * size, line->in.w);
}

/* The largest letters with which n tokens have room. */
static float token_size(TokenLine *line, int32_t n)
{
    for (size_t i = 0; i + 1 < AS_COUNT(TOKEN_SIZES) && n <= 60; i++) {
        line->size = TOKEN_SIZES[i];
        float x = 0;
        float h = 4.4f * line->size;
        for (int32_t token = 0; token < n; token++) {
            float w = token_width(line, token);
            h += x + w > line->in.w ? 4.4f * line->size : 0;
            x = (x + w > line->in.w ? 0 : x) + w + 10;
        }
        if (h <= line->in.h) {
            line->used = h;
            return line->size;
        }
    }
    line->used = line->in.h;
    return TOKEN_SIZES[AS_COUNT(TOKEN_SIZES) - 1];
}

static bool put_token(TokenLine *line, int32_t token)
{
    StepsScene *s = line->s;
    Ui *ui = s->c->ui;
    const float size = line->size;
    float w = token_width(line, token);
    float h = roundf(2.3f * size);
    float number = size >= 20 ? 14 : size >= 17 ? 12 : 11;
    if (line->x + w > line->in.x + line->in.w) {
        line->x = line->in.x;
        line->y += roundf(4.4f * size);
    }
    if (line->y + h + 22 > line->in.y + line->in.h) {
        return false;
    }
    float in = phase_of(s->t, 0.6, AS_MIN(line->k, 24), 0.1, 0.45);
    Rect chip = {line->x - 24 * (1 - in), line->y, w, h};
    draw_push_alpha(ui->list, in);
    bool inside = token >= s->l->rows.first && token < s->l->rows.first + s->l->n;
    teach_token(s->c, chip, token, false, token == s->l->query, size);
    draw_push_alpha(ui->list, phase_of(s->t, 1.6, AS_MIN(line->k, 24), 0.1, 0.4));
    ui_label(ui, rect(chip.x - 6, chip.y + h + 2, w + 12, number + 5),
             &(UiLabel){.face = inside ? FONT_MONO_SEMIBOLD : FONT_MONO,
                        .size = number,
                        .align = DRAW_CENTER,
                        .color = inside ? ui->theme.text : ui->theme.text2},
             draw_format(ui->list, "%d", trace_tokens(s->session->trace)[token].id));
    draw_pop_alpha(ui->list);
    draw_pop_alpha(ui->list);
    line->x += w + 10;
    line->k++;
    return true;
}

static void draw_token_table(StepsScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    Rect in = steps_card(s, box, "The tokens in front", "place, piece of text, number in the list",
                         ui->theme.text);
    const TraceToken *tokens = trace_tokens(s->session->trace);
    float line = fminf(60, (in.h - 22) / (float)l->n);
    UiLabel mono = {.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = ui->theme.text};
    UiLabel caption = {.face = FONT_SANS, .size = 11};
    ui_label(ui, rect(in.x, in.y, 50, 18), &caption, "place");
    ui_label(ui, rect(in.x + 54, in.y, in.w * 0.4f, 18), &caption, "token");
    caption.align = DRAW_RIGHT;
    ui_label(ui, rect(in.x, in.y, in.w * 0.76f, 18), &caption, "number");
    ui_label(ui, rect(in.x, in.y, in.w, 18), &caption, "bytes");
    TraceStack stack = trace_info(s->session->trace)->stack; /* a target may be the model's own */
    bool written = stack == TRACE_STACK_CROSS || stack == TRACE_STACK_DECODER;
    for (int32_t i = 0; i < l->n; i++) {
        int32_t token = l->rows.first + i;
        float y = in.y + 22 + line * (float)i;
        const TraceToken *t = &tokens[token];
        draw_push_alpha(ui->list, phase_of(s->t, 2.2, (int)i, 0.15, 0.4));
        ui_label(ui, rect(in.x, y, 34, line - 4), &mono, draw_format(ui->list, "%d", token));
        teach_token(
            s->c,
            rect(in.x + 54, y + fmaxf(0, (line - 4 - 34) / 2), in.w * 0.34f, fminf(line - 4, 34)),
            token, false, token == l->query, 12);
        ui_label(ui, rect(in.x + 54, y, in.w * 0.76f - 54, line - 4), &mono,
                 draw_format(ui->list, "%d", t->id));
        UiLabel small = mono;
        small.size = 11;
        small.color = ui->theme.text2;
        ui_label(ui, rect(in.x + in.w * 0.78f, y, in.w * 0.22f, line - 4), &small,
                 t->start < 0
                     ? (t->special || !written ? "added" : "written")
                     : draw_format(ui->list, "%lld–%lld", (long long)t->start, (long long)t->end));
        draw_pop_alpha(ui->list);
    }
}

/* The picture, its patches drawn apart; each is a token. */
static void draw_patches(StepsScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Trace *trace = s->session->trace;
    const TraceImage *image = trace_image(trace);
    const int32_t n = trace_info(trace)->n_queries;
    Rect in = steps_card(s, box, "The picture, cut into patches",
                         draw_format(ui->list, "%d × %d patches of %d × %d pixels: one token each",
                                     image->patch_rows, image->patch_columns,
                                     image->height / AS_MAX(image->patch_rows, 1),
                                     image->width / AS_MAX(image->patch_columns, 1)),
                         ui->theme.text);
    const float foot = 26;
    const float side =
        floorf(fminf(in.w / (float)image->patch_columns, (in.h - foot) / (float)image->patch_rows));
    const float x0 = in.x + (in.w - side * (float)image->patch_columns) / 2;
    const float apart = phase(s->t, 1.0, 2.0) * fminf(6, side * 0.2f);
    for (int32_t k = 0; k < image->patch_rows * image->patch_columns; k++) {
        const int32_t token = image->first_patch + k;
        const Rect at = {x0 + side * (float)(k % image->patch_columns),
                         in.y + side * (float)(k / image->patch_columns), side - apart,
                         side - apart};
        if (token >= n || !draw_patch(s->c, at, token)) {
            continue;
        }
        bool hot;
        if (ui_click(ui, ui_id("steps-patch", token), at, true, &hot, NULL)) {
            session_post(s->session, "pin %d %d", token, s->session->selection.key);
        }
        if (token == s->l->query || hot) {
            draw_rect(ui->list, &(DrawRect){.box = rect_inset(at, -2),
                                            .radius = 3,
                                            .border = 2,
                                            .border_color = ui->theme.accent});
        }
        if (hot) {
            ui_tooltip(ui, at, draw_format(ui->list, "token %d, %s", token, label_of(s->c, token)));
        }
    }
    ui_label(ui, rect(in.x, in.y + in.h - 18, in.w, 18), &(UiLabel){.face = FONT_SANS, .size = 11},
             image->first_patch > 0
                 ? draw_format(ui->list,
                               "before them “%s”, which is of no patch; r, c: row, column",
                               label_of(s->c, 0))
                 : "r, c: row and column");
}

static void draw_patch_table(StepsScene *s, Rect box)
{
    Ui *ui = s->c->ui;
    const Lesson *l = s->l;
    Rect in = steps_card(s, box, "The tokens in front", "place, patch, what it shows, its pixels",
                         ui->theme.text);
    const float line = fminf(60, in.h / (float)l->n);
    UiLabel mono = {.face = FONT_MONO, .size = 12, .align = DRAW_RIGHT, .color = ui->theme.text};
    for (int32_t i = 0; i < l->n; i++) {
        const int32_t token = l->rows.first + i;
        const float y = in.y + line * (float)i;
        const float side = line - 8;
        int32_t x, top, w, h;
        draw_push_alpha(ui->list, phase_of(s->t, 2.2, (int)i, 0.15, 0.4));
        ui_label(ui, rect(in.x, y, 34, line - 4), &mono, draw_format(ui->list, "%d", token));
        teach_token(s->c,
                    rect(in.x + 46, y + fmaxf(0, (line - 4 - 34) / 2), 76, fminf(line - 4, 34)),
                    token, false, token == l->query, 12);
        const bool patch = trace_image_patch(s->session->trace, token, &x, &top, &w, &h);
        if (patch) {
            (void)draw_patch(s->c, rect(in.x + 134, y + 2, side, side), token);
        }
        UiLabel small = mono;
        small.size = 11;
        small.color = ui->theme.text2;
        ui_label(ui, rect(in.x + 134 + side + 8, y, in.w - 142 - side, line - 4), &small,
                 patch ? draw_format(ui->list, "x %d–%d, y %d–%d", x, x + w - 1, top, top + h - 1)
                       : "added");
        draw_pop_alpha(ui->list);
    }
}

void scene_tokens(StepsScene *s)
{
    Ui *ui = s->c->ui;
    Rect main = s->layout.main;
    if (trace_image(s->session->trace)) {
        const float table = AS_CLAMP(main.w * 0.36f, 270, 440);
        draw_patches(s, rect(main.x, main.y, main.w - table - s->layout.gap, main.h));
        draw_patch_table(s, rect(main.x + main.w - table, main.y, table, main.h));
        return;
    }
    int32_t n = trace_info(s->session->trace)->n_queries;
    float right = AS_CLAMP(main.w * 0.36f, 250, 440);
    Rect left = {main.x, main.y, main.w - right - s->layout.gap, main.h};
    Rect in = steps_card(s, left, "The text, cut into tokens",
                         draw_format(ui->list,
                                     "%d tokens; below each its number in the "
                                     "vocabulary of %d",
                                     n, trace_info(s->session->trace)->n_vocab),
                         ui->theme.text);
    size_t n_source;
    const char *source = trace_source(s->session->trace, &n_source);
    float cut = phase(s->t, 1.0, 2.0); /* the text steps back behind its pieces */
    bool few = n <= 60 && in.h > 300;
    float line_h = few ? 34 : 24;
    UiLabel plain = {.face = FONT_SANS,
                     .size = few ? 24 : 16,
                     .color = color_mix(ui->theme.text, ui->theme.text3, cut)};
    float text_h = 0;
    const char *text = NULL;
    if (n_source && n_source < 4000) {
        text = draw_format(ui->list, "%.*s", (int)n_source, source);
        text_h = fminf(ui_paragraph_height(ui, in.w, &plain, line_h, text), 3 * line_h);
    }
    Rect rows = {in.x, in.y + text_h + 14, in.w, in.h - text_h - 14 - 20};
    TokenLine line = {.s = s, .in = rows, .x = rows.x};
    line.size = token_size(&line, n);
    /* Few tokens stand a little above the middle, not all at the top. */
    float down = roundf(0.36f * fmaxf(0, rows.h - line.used));
    line.in.y += down;
    line.in.h -= down;
    line.y = line.in.y;
    if (text) {
        ui_paragraph(ui, rect(in.x, in.y + down, in.w, text_h), &plain, line_h, text);
    }
    int32_t first = n > 120 ? AS_MAX(s->l->rows.first - 20, 0) : 0;
    int32_t token = first;
    while (token < n && put_token(&line, token)) {
        token++;
    }
    if (first > 0 || token < n) {
        ui_label(
            ui, rect(in.x, in.y + in.h - 18, in.w, 18), &(UiLabel){.face = FONT_SANS, .size = 11},
            draw_format(ui->list, "tokens %d to %d of %d are shown here", first, token - 1, n));
    }
    draw_token_table(s, rect(main.x + main.w - right, main.y, right, main.h));
}
