#pragma once
/*
 * Keys and what they do: assets/input.conf and a person's own file in the same form.
 *
 *   KEY COMMAND [ARGUMENTS]         # what it does, in words
 *   PLACE:KEY COMMAND [ARGUMENTS]   # only there, in place of what the key does elsewhere;
 *                                     several places with commas between them
 *
 * KEY is a character or a name (Left, PageUp, F5, Space, Esc …) after Ctrl+, Shift+, Alt+ in any
 * order; names in any case. A # not preceded by a blank is an ordinary character, so `# …` as a key
 * is written Hash. Empty lines and lines that start with # are skipped.
 */
#include "base/arena.h"

enum {
    KEY_MOD_CTRL = 1,
    KEY_MOD_SHIFT = 2,
    KEY_MOD_ALT = 4,
};

/* Keys without a character, above all of Unicode. */
#define NAMED_KEYS(X)                                                                              \
    X(LEFT, "Left")                                                                                \
    X(RIGHT, "Right")                                                                              \
    X(UP, "Up")                                                                                    \
    X(DOWN, "Down")                                                                                \
    X(HOME, "Home")                                                                                \
    X(END, "End")                                                                                  \
    X(PAGE_UP, "PageUp")                                                                           \
    X(PAGE_DOWN, "PageDown")                                                                       \
    X(ENTER, "Enter")                                                                              \
    X(ESC, "Esc")                                                                                  \
    X(TAB, "Tab")                                                                                  \
    X(BACKSPACE, "Backspace")                                                                      \
    X(DELETE, "Delete")                                                                            \
    X(INSERT, "Insert")                                                                            \
    X(F1, "F1")                                                                                    \
    X(F2, "F2")                                                                                    \
    X(F3, "F3")                                                                                    \
    X(F4, "F4")                                                                                    \
    X(F5, "F5")                                                                                    \
    X(F6, "F6")                                                                                    \
    X(F7, "F7")                                                                                    \
    X(F8, "F8")                                                                                    \
    X(F9, "F9")                                                                                    \
    X(F10, "F10")                                                                                  \
    X(F11, "F11")                                                                                  \
    X(F12, "F12")

typedef enum NamedKey {
    KEY_NAMED_FIRST = 0x110000,
#define NAMED_KEY_ENUM(id, name) KEY_##id,
    NAMED_KEYS(NAMED_KEY_ENUM)
#undef NAMED_KEY_ENUM
        KEY_NAMED_END
} NamedKey;

/** A key with its modifiers. Letters are lower case; what needs Shift on some keyboards ("?", "+")
 *  is its own character, without KEY_MOD_SHIFT. */
typedef struct KeyChord {
    uint32_t key;  /* code point or NamedKey */
    uint32_t mods; /* KEY_MOD_… bits */
} KeyChord;

typedef struct KeyBinding {
    KeyChord chord;
    const char *key;     /* as written, "Ctrl+K": for menus and the key overlay */
    const char *place;   /* "matrix", "flow,stack": only there; "" = everywhere */
    const char *command; /* the command line of the interface, "layer +1" */
    const char *help;    /* "" when the line has none */
} KeyBinding;

typedef struct KeyMap {
    KeyBinding *bindings; /* in the order of the file; in the arena */
    size_t n;
} KeyMap;

/** "Ctrl+Shift+Left" to a chord. False when it is none. */
AS_MUST_CHECK bool key_parse(const char *text, KeyChord *chord);
/** Adds the lines of text[0..n) to map; a chord that is there already for the same place is
 *  replaced. `name` is the file. ERR_FORMAT names file and line. */
AS_MUST_CHECK bool keys_parse(KeyMap *map, const char *text, size_t n, const char *name,
                              Arena *arena, Error *err);
/** What a chord does in a place: its own binding there, else the one for everywhere; NULL when it
 * is not bound. */
const KeyBinding *keys_find(const KeyMap *map, KeyChord chord, const char *place);
/** Does this binding act in `place`: is it for there or everywhere, and not replaced there? */
bool keys_acts(const KeyMap *map, const KeyBinding *binding, const char *place);
/** First binding of a command line that acts in `place`, for showing its key; NULL when it has
 * none.
 */
const KeyBinding *keys_find_command(const KeyMap *map, const char *command, const char *place);
