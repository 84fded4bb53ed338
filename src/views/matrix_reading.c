#include "views/internal.h"

#include <math.h>
#include <string.h>

/* The text around the query and around the key, its keys shaded by what the query gives them. */

enum { PAD = 16, LINE = 22, BEFORE = 28 };

/* A token as it stands in running text; *named: its letters are not the text's (a byte of a letter,
 * white space), so it stands apart. In the frame's arena. */
static const char *running_text(const MatrixScene *s, bool keys, int32_t token, bool *named)
{
    const Trace *trace = s->c->session->trace;
    const TraceToken *t = &(keys ? trace_key_tokens(trace, NULL) : trace_tokens(trace))[token];
    const char *label = keys ? key_label_of(s->c, token) : label_of(s->c, token);
    const char *own = t->text ? t->text : "";
    bool piece = strncmp(own, "##", 2) == 0;
    size_t shared = 0;
    const char *bare = *own == ' ' ? own + 1 : own;
    while (label[shared] && label[shared] == bare[shared]) {
        shared++;
    }
    *named = !piece && shared == 0 && !(t->special);
    bool spaced = *own == ' ' || (t->start > 0 && token > 0 && (t - 1)->end < t->start);
    return draw_format(s->c->ui->list, "%s%s", spaced && !piece ? " " : "",
                       piece ? label + 2 : label);
}

typedef struct Flow {
    Rect box;
    bool keys;
    int32_t at; /* the token that stands out */
} Flow;

/* Draws lines of text from a few tokens before `at` on. */
static void draw_flow(const MatrixScene *s, const Flow *flow)
{
    Ui *ui = s->c->ui;
    const MatrixProfile *r = &s->profile;
    Session *session = s->c->session;
    bool cross = trace_is_cross(session->trace);
    int32_t n = flow->keys ? s->view->n_keys : s->view->n_queries;
    int32_t first = AS_MAX(flow->at - BEFORE, 0);
    float x = flow->box.x;
    float y = flow->box.y;
    bool was_named = false;
    for (int32_t i = first; i < n; i++) {
        bool named;
        const char *text = running_text(s, flow->keys, i, &named);
        bool on = i == flow->at;
        FontFace face = named ? FONT_MONO : on ? FONT_SANS_SEMIBOLD : FONT_SANS;
        float size = named ? 11 : 13;
        const char *bare = *text == ' ' ? text + 1 : text;
        float space = (*text == ' ' || named || was_named) && x > flow->box.x ? 4 : 0;
        float w = ui_text_width(ui, face, size, bare);
        was_named = named;
        if (x + space + w > flow->box.x + flow->box.w && x > flow->box.x) {
            x = flow->box.x;
            y += LINE;
            space = 0;
        }
        if (y + LINE > flow->box.y + flow->box.h) {
            return;
        }
        Rect box = {x + space, y, fminf(w, flow->box.x + flow->box.w - x - space), LINE};
        /* What the query gives this token, where it is a key. */
        float weight =
            (flow->keys || !cross) && i >= r->row_first && i < r->row_end ? r->row[i] : 0;
        float f = weight > 0 ? scale_apply(s->scale, weight) : 0;
        if (f > 0.02f) {
            draw_rect(ui->list, &(DrawRect){.box = rect(box.x - 1, y + 2, box.w + 2, LINE - 4),
                                            .radius = 4,
                                            .fill = color_with_alpha(r->color, 0.42f * f)});
        }
        if (on) {
            Color color = flow->keys ? key_token_color(s->c, i) : token_color(s->c, i);
            draw_rect(ui->list, &(DrawRect){.box = rect(box.x - 3, y + 1, box.w + 6, LINE - 2),
                                            .radius = 5,
                                            .border = 1.5f,
                                            .border_color = color});
        }
        ui_label(ui, rect(box.x, y, box.w + 1, LINE),
                 &(UiLabel){.face = face,
                            .size = size,
                            .color = on      ? ui->theme.text
                                     : named ? ui->theme.text3
                                             : ui->theme.text2},
                 bare);
        bool hot;
        if (ui_click(ui, ui_id(flow->keys ? "reading-key" : "reading-query", i), box, false, &hot,
                     NULL)) {
            session_post(session, "pin %d %d", flow->keys ? r->query : i, flow->keys ? i : r->key);
        }
        if (hot) {
            ui_tooltip(ui, box,
                       weight > 0 ? draw_format(ui->list, "token %d gets %.6f", i, (double)weight)
                                  : draw_format(ui->list, "token %d", i));
        }
        x = box.x + box.w;
    }
}

void matrix_draw_reading(const MatrixScene *s, Rect card)
{
    Ui *ui = s->c->ui;
    const MatrixProfile *r = &s->profile;
    if (!r->row) {
        return;
    }
    Rect in = {card.x + PAD, card.y + 54, card.w - 2 * PAD, card.h - 54 - PAD};
    float half = floorf((in.h - 16) / 2);
    ui_caps(ui, rect(in.x, in.y, in.w, 14),
            draw_format(ui->list, "Around the query, %d", r->query));
    draw_flow(s, &(Flow){.box = {in.x, in.y + 20, in.w, half - 20}, .at = r->query});
    float y = in.y + half + 16;
    ui_caps(ui, rect(in.x, y, in.w, 14), draw_format(ui->list, "Around the key, %d", r->key));
    draw_flow(s, &(Flow){.box = {in.x, y + 20, in.w, half - 20}, .keys = true, .at = r->key});
}
