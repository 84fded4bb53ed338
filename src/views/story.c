#include "views/internal.h"

#include <math.h>

/* Guided stories: the card below the stage, and the list to choose from. */

enum { PAD = 16, WIDE = 1120 };

/* ---- the card ---- */

static void draw_dots(ViewContext *c, Rect box, const Story *story)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    int now = c->session->story.scene;
    float pitch = fminf(16, box.w / (float)story->n_scenes);
    float x = box.x + box.w - pitch * (float)story->n_scenes;
    for (int i = 0; i < story->n_scenes; i++) {
        Vec2 at = {x + pitch * ((float)i + 0.5f), box.y + box.h / 2};
        draw_circle(ui->list, &(DrawCircle){.center = at,
                                            .radius = i == now ? 4 : 3,
                                            .fill = i <= now ? t->accent : t->edge2});
    }
}

/* What the learner is asked to do, and whether it was done; its height. */
static void draw_try(ViewContext *c, Rect box, const StoryScene *scene)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    bool tried = s->story.tried;
    Color color = tried ? t->ok : t->accent;
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 8,
                                    .fill = color_mix(t->card, color, 0.1f),
                                    .border = 1,
                                    .border_color = color_mix(t->card, color, 0.55f)});
    const char *words =
        story_words(s, tried && scene->well ? scene->well : scene->asks, &ui->list->arena);
    UiLabel caps = {.face = FONT_SANS_SEMIBOLD, .size = 11, .color = tried ? t->k_text : t->accent};
    ui_label(ui, rect(box.x + 12, box.y + 8, box.w - 24, 16), &caps, tried ? "Done" : "Try it");
    ui_paragraph(ui, rect(box.x + 12, box.y + 26, box.w - 24, box.h - 32),
                 &(UiLabel){.size = 12, .color = t->text}, 18, words);
}

void chrome_story(ViewContext *c, Rect bar)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    Session *s = c->session;
    const Story *story = session_story(s);
    const StoryScene *scene = session_scene(s);
    float w = fminf(bar.w - 24, WIDE);
    Rect card = {ui_snap(ui, bar.x + (bar.w - w) / 2), bar.y + 2, w, bar.h - 10};
    ui_card(ui, card);
    bool asks = scene->asks != NULL;
    float buttons = 92;
    float try_w = asks ? floorf((w - buttons - 2 * PAD) * 0.36f) : 0;
    float says_w = w - 2 * PAD - buttons - PAD - (asks ? try_w + PAD : 0);
    float x = card.x + PAD;
    float caps = ui_text_width(ui, FONT_SANS, 11, story->title);
    ui_label(ui, rect(x, card.y + 10, says_w, 16), &(UiLabel){.size = 11, .color = t->text2},
             story->title);
    if (caps + 24 + 8 * (float)story->n_scenes < says_w) {
        draw_dots(c, rect(x + caps + 16, card.y + 10, says_w - caps - 16, 16), story);
    }
    ui_label(ui, rect(x, card.y + 27, says_w, 24),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 16, .color = t->text}, scene->title);
    const char *words = story_words(s, scene->says, &ui->list->arena);
    ui_paragraph(ui, rect(x, card.y + 54, says_w, card.h - 60),
                 &(UiLabel){.size = 12, .color = t->text}, 18, words);
    if (asks) {
        draw_try(c, rect(x + says_w + PAD, card.y + 12, try_w, card.h - 24), scene);
    }
    Rect next = {card.x + w - PAD - buttons, card.y + card.h - 12 - 32, buttons, 32};
    bool last = s->story.scene == story->n_scenes - 1;
    if (ui_button(ui, UI_ID("story-next"), next, last ? "End" : "Next", UI_BUTTON_ACCENT)) {
        session_post(s, last ? "story-end" : "scene +1");
    }
    Rect back = {next.x, next.y - 38, buttons, 32};
    if (s->story.scene > 0 && ui_button(ui, UI_ID("story-back"), back, "Back", UI_BUTTON_PLAIN)) {
        session_post(s, "scene -1");
    }
    if (ui_icon_button(ui, UI_ID("story-end"), rect(next.x + buttons - 26, card.y + 8, 26, 26),
                       ICON_CLOSE, "leave the story")) {
        session_post(s, "story-end");
    }
}

/* ---- the list ---- */

static void draw_choice(ViewContext *c, Rect box, const Story *story, int index)
{
    Ui *ui = c->ui;
    const Theme *t = &ui->theme;
    bool hot;
    bool digit = index < 9 && ui_take_key(ui, (uint32_t)('1' + index), 0);
    if (ui_click(ui, ui_id("story", index), box, true, &hot, NULL) || digit) {
        session_post(c->session, "story %s", story->name);
    }
    float h = ui_ease(ui, ui_id("story-hot", index), hot, EASE_HOVER_S);
    draw_rect(ui->list, &(DrawRect){.box = box,
                                    .radius = 10,
                                    .fill = color_mix(t->raised, t->raised_hot, h),
                                    .border = 1,
                                    .border_color = color_mix(t->edge, t->accent_edge, h)});
    float x = box.x + 16;
    draw_circle(ui->list, &(DrawCircle){.center = {x + 14, box.y + box.h / 2},
                                        .radius = fminf(14, box.h / 2 - 2),
                                        .fill = color_head(index)});
    ui_label(ui, rect(x, box.y + box.h / 2 - 14, 28, 28),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD,
                        .size = 14,
                        .color = color_hex(0x0B1020),
                        .align = DRAW_CENTER},
             draw_format(ui->list, "%d", index + 1));
    x += 44;
    float w = box.x + box.w - 16 - x;
    float y = box.y + box.h / 2 - (box.h < 40 ? 11 : 22); /* a low one has its title alone */
    ui_label(ui, rect(x, y, w, 22),
             &(UiLabel){.face = FONT_SANS_SEMIBOLD, .size = 14, .color = t->text}, story->title);
    if (box.h >= 40) {
        ui_label(ui, rect(x, y + 22, w, 20), &(UiLabel){.color = t->text2}, story->about);
    }
}

/* Up and Down go along the list, from the story that is open or the first one. */
static void move_choice(ViewContext *c, const Story *stories, int n)
{
    Ui *ui = c->ui;
    int now = -1;
    int open = 0;
    for (int i = 0; i < n; i++) {
        now = ui->focus == ui_id("story", i) ? i : now;
        open = session_story(c->session) == &stories[i] ? i : open;
    }
    int step = ui_take_key(ui, KEY_DOWN, 0) - ui_take_key(ui, KEY_UP, 0);
    int to = now < 0 ? open : AS_CLAMP(now + step, 0, n - 1);
    if ((now < 0 && !c->views->stories_seen) || step) {
        ui->focus = ui_id("story", to);
        ui->focus_shown = true;
        ui->moves = true;
    }
    c->views->stories_seen = true;
}

float stories_list_height(Session *s)
{
    int n;
    (void)session_stories(s, &n);
    return 80 * (float)n + 40;
}

void stories_list(ViewContext *c, Rect box)
{
    Ui *ui = c->ui;
    int n;
    const Story *stories = session_stories(c->session, &n);
    ui_label(ui, rect(box.x, box.y, box.w, 20), &(UiLabel){0},
             "Guided courses on built-in texts and models, a few minutes each.");
    move_choice(c, stories, n);
    float pitch = fminf((box.h - 30) / (float)AS_MAX(n, 1), 80);
    for (int i = 0; i < n; i++) {
        draw_choice(c, rect(box.x, box.y + 30 + pitch * (float)i, box.w, pitch - 8), &stories[i],
                    i);
    }
}
