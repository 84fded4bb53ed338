/* Random events and commands: whatever is done, a frame is drawn and the state stays in range. */
#include "session/commands.h"
#include "views_case.h"

#include <stdio.h>

enum { EVENTS = 20000 };

static uint32_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return (uint32_t)(*state >> 33);
}

static void check_state(const ViewsCase *c)
{
    const Session *s = c->session;
    if (!s->trace) {
        return;
    }
    const TraceInfo *info = trace_info(s->trace);
    assert_in_range(s->selection.layer, 0, info->n_layers - 1);
    assert_in_range(s->selection.head, 0, info->n_heads - 1);
    assert_in_range(s->selection.query, 0, info->n_queries - 1);
    assert_in_range(s->selection.key, 0, info->n_keys - 1);
}

static UiEvent random_event(uint64_t *state, float width, float height)
{
    static const uint32_t keys[] = {KEY_LEFT, KEY_RIGHT, KEY_UP,        KEY_DOWN,   KEY_ENTER,
                                    KEY_ESC,  KEY_TAB,   KEY_BACKSPACE, KEY_DELETE, KEY_HOME,
                                    KEY_END,  'a',       'c',           'v',        'x',
                                    'z',      'y'};
    uint32_t kind = next(state) % 16;
    UiEvent e = {.at = {(float)(next(state) % 2000) / 2000 * width,
                        (float)(next(state) % 2000) / 2000 * height}};
    if (kind < 6) {
        e.kind = UI_EVENT_MOVE;
    } else if (kind < 8) {
        e.kind = UI_EVENT_DOWN;
    } else if (kind < 11) {
        e.kind = UI_EVENT_UP;
    } else if (kind < 12) {
        e.kind = UI_EVENT_WHEEL;
        e.wheel = (float)(next(state) % 9) - 4;
    } else if (kind < 14) {
        e.kind = UI_EVENT_KEY;
        e.key = keys[next(state) % AS_COUNT(keys)];
        e.mods = e.key < 128 ? (uint32_t)KEY_MOD_CTRL : next(state) % 8;
    } else if (kind < 15) {
        e.kind = UI_EVENT_TEXT;
        e.key = next(state) % 8 ? ' ' + next(state) % 95 : next(state) % 0x110000;
    } else {
        e.kind = UI_EVENT_LEAVE;
    }
    return e;
}

static void random_command(ViewsCase *c, uint64_t *state)
{
    static const char *const lines[] = {"layer +1",   "layer -1",      "head +1",
                                        "head -3",    "query +5",      "key -7",
                                        "pin",        "unpin",         "undo",
                                        "redo",       "zoom in",       "zoom out",
                                        "fit",        "look 3 9",      "theme",
                                        "scale +",    "scale -",       "play",
                                        "loop",       "rows max",      "inspector",
                                        "view heads", "view matrix",   "help",
                                        "settings",   "palette",       "palette lay",
                                        "open",       "paste",         "mask none",
                                        "mask auto",  "temperature 3", "text a b c d e f g h",
                                        "text one",   "edit-text",     "cancel",
                                        "fold made",  "map-scale sqrt"};
    session_post(c->session, "%s", lines[next(state) % AS_COUNT(lines)]);
}

/* Any command of any table, with arguments that may or may not make sense. */
static void any_command(ViewsCase *c, uint64_t *state)
{
    size_t n_tables = 0;
    while (session_command_tables[n_tables]) {
        n_tables++;
    }
    const SessionCommand *table = session_command_tables[next(state) % n_tables];
    size_t n = 0;
    while (table[n].name) {
        n++;
    }
    const SessionCommand *command = &table[next(state) % n];
    const char *at = command->arguments;
    for (uint32_t skip = next(state) % 4; skip && strchr(at, '|'); skip--) {
        at = strchr(at, '|') + 1;
    }
    int word = (int)strcspn(at, "|]");
    switch (next(state) % 4) {
    case 0:
        session_post(c->session, "%s", command->name);
        break;
    case 1:
        session_post(c->session, "%s %d", command->name, (int)(next(state) % 200) - 20);
        break;
    case 2:
        session_post(c->session, "%s %d %d", command->name, (int)(next(state) % 100),
                     (int)(next(state) % 100));
        break;
    default:
        session_post(c->session, "%s %.*s", command->name, word, at);
        break;
    }
}

static void test_views_frame__monkey(void **state)
{
    (void)state;
    Arena arena = {0};
    ViewsCase c;
    uint64_t random = 20240611;
    views_case_open(&c, "random:L=4,H=4,d=64,seed=5", words_of(&arena, 90));
    float width = 1280;
    float height = 720;
    for (int i = 0; i < EVENTS; i++) {
        UiEvent event = random_event(&random, width, height);
        event.time_s = i * 0.02;
        if (!ui_feed(&c.ui, &event)) {
            views_case_pass(&c, width, height, 1);
            assert_true(ui_feed(&c.ui, &event));
        }
        bool by_hand = true; /* only what views post themselves */
        if (next(&random) % 6 == 0) {
            random_command(&c, &random);
            by_hand = false;
        }
        if (next(&random) % 12 == 0) {
            any_command(&c, &random);
            by_hand = false;
        }
        if (next(&random) % 150 == 0) { /* each view has its turn */
            session_post(c.session, "view %s", view_name((ViewId)(next(&random) % VIEW_COUNT)));
        }
        if (next(&random) % 40 == 0) {
            width = 640 + (float)(next(&random) % 1400);
            height = 400 + (float)(next(&random) % 800);
        }
        views_case_pass(&c, width, height, 1 + 0.5f * (float)(next(&random) % 3));
        by_hand &= c.session->panel != PANEL_PALETTE;
        uint64_t version = c.session->trace_version;
        c.session->note[0] = 0;
        session_update(c.session, i * 0.02);
        check_state(&c);
        /* What is on the screen is there, unless another text has come meanwhile. */
        if (by_hand && version == c.session->trace_version) {
            assert_null(strstr(c.session->note, "is not there"));
        }
    }
    session_settle(c.session);
    views_case_frame(&c, 1280, 720, 1);
    views_case_close(&c);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_views_frame__monkey)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
