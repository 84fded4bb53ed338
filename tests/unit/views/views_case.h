#pragma once
/* A session with views, drawn without a window. */
#include "testing.h"
#include "words.h"

#include "session/session.h"
#include "ui/ui.h"
#include "views/views.h"

typedef struct ViewsCase {
    Session *session;
    Views *views;
    FontSet *fonts;
    Ui ui;
    DrawList list;
    KeyMap keys;
    Arena arena;
} ViewsCase;

static inline void views_case_open(ViewsCase *c, const char *model, const char *text)
{
    static const char keys[] = "? help  # the keys\nCtrl+Shift+Z redo  # forward again\n";
    Error err = {0};
    *c = (ViewsCase){0};
    c->fonts = fontset_create(&err);
    c->session = session_create(&(SessionDesc){0}, &err);
    assert_ok(c->fonts && c->session, err);
    assert_ok(keys_parse(&c->keys, keys, sizeof keys - 1, "keys", &c->arena, &err), err);
    c->views = views_create(c->session, &(ViewsDesc){.keys = &c->keys}, &err);
    assert_ok(c->views, err);
    SessionRequest request = {.model = model, .text = {.text = text, .n_text = strlen(text)}};
    assert_ok(session_request(c->session, &request, &err), err);
    session_settle(c->session);
}

static inline void views_case_close(ViewsCase *c)
{
    views_destroy(&c->views);
    session_destroy(&c->session);
    ui_free(&c->ui);
    draw_list_free(&c->list);
    fontset_destroy(c->fonts);
    arena_destroy(&c->arena);
}

static inline void views_case_pass(ViewsCase *c, float width, float height, float scale)
{
    Error err = {0};
    ui_begin(&c->ui, &(UiFrame){.list = &c->list,
                                .fonts = c->fonts,
                                .theme = (ThemeId)c->session->options.theme,
                                .width = width,
                                .height = height,
                                .scale = scale,
                                .still = true});
    views_frame(c->views, &c->ui, c->session);
    ui_end(&c->ui);
    assert_ok(draw_end(&c->list, &err), err);
}

/* Until nothing is computed any more. */
static inline void views_case_frame(ViewsCase *c, float width, float height, float scale)
{
    int pass = 0;
    do {
        views_case_pass(c, width, height, scale);
        session_settle(c->session);
    } while (!views_settled(c->views) && ++pass < 4);
    assert_true(views_settled(c->views));
}

static inline void views_case_do(ViewsCase *c, const char *line)
{
    session_post(c->session, "%s", line);
    session_settle(c->session);
}

static inline const char *text_of(const DrawCmd *cmd)
{
    return cmd->kind != DRAW_TEXT ? "" : cmd->full_text ? cmd->full_text : cmd->u.text.text;
}

/* Is there a text with this in it? Texts that are cut count whole. */
static inline bool says(const ViewsCase *c, const char *part)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        if (strstr(text_of(&c->list.cmds.items[i]), part)) {
            return true;
        }
    }
    return false;
}

/* … that begins with this? */
static inline bool says_from(const ViewsCase *c, const char *beginning)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        if (strncmp(text_of(&c->list.cmds.items[i]), beginning, strlen(beginning)) == 0) {
            return true;
        }
    }
    return false;
}

/* How many are exactly this? */
static inline int count_texts(const ViewsCase *c, const char *text)
{
    int n = 0;
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        n += cmd->kind == DRAW_TEXT && strcmp(cmd->u.text.text, text) == 0;
    }
    return n;
}

/* The text command that shows exactly this, or NULL. */
static inline const DrawCmd *find_text(const ViewsCase *c, const char *text)
{
    for (size_t i = 0; i < c->list.cmds.n; i++) {
        const DrawCmd *cmd = &c->list.cmds.items[i];
        if (cmd->kind == DRAW_TEXT && strcmp(cmd->u.text.text, text) == 0) {
            return cmd;
        }
    }
    return NULL;
}
