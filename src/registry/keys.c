#include "registry/keys.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint32_t key;
} key_names[] = {
#define NAMED_KEY_ROW(id, name) {name, KEY_##id},
    NAMED_KEYS(NAMED_KEY_ROW)
#undef NAMED_KEY_ROW
        {"Space", ' '},
    {"Hash", '#'},
    {"Plus", '+'},
};

static const struct {
    const char *prefix;
    uint32_t mod;
} mod_names[] = {{"Ctrl+", KEY_MOD_CTRL}, {"Shift+", KEY_MOD_SHIFT}, {"Alt+", KEY_MOD_ALT}};

bool key_parse(const char *text, KeyChord *chord)
{
    *chord = (KeyChord){0};
    for (size_t i = 0; i < AS_COUNT(mod_names); i++) {
        size_t n = strlen(mod_names[i].prefix);
        if (!strncasecmp(text, mod_names[i].prefix, n) && text[n]) {
            chord->mods |= mod_names[i].mod;
            text += n;
            i = (size_t)-1; /* again from the first: any order */
        }
    }
    for (size_t i = 0; i < AS_COUNT(key_names); i++) {
        if (!strcasecmp(text, key_names[i].name)) {
            chord->key = key_names[i].key;
            return true;
        }
    }
    size_t n = strlen(text);
    uint32_t c;
    if (!n || utf8_count_invalid(text, n) || utf8_decode(text, n, &c) != n || c <= ' ' ||
        c == 0x7f) {
        return false;
    }
    if (c >= 'A' && c <= 'Z') {
        c += 'a' - 'A';
    }
    chord->key = c;
    return true;
}

static bool same_chord(KeyChord a, KeyChord b)
{
    return a.key == b.key && a.mods == b.mods;
}

/* Is `place` one of the names with commas between them? */
static bool holds_place(const char *places, const char *place)
{
    size_t n = strlen(place);
    for (const char *at = places; n && *at;) {
        size_t m = strcspn(at, ",");
        if (m == n && !memcmp(at, place, n)) {
            return true;
        }
        at += m + (at[m] == ',');
    }
    return false;
}

static KeyBinding *find_exactly(const KeyMap *map, KeyChord chord, const char *place)
{
    for (size_t i = 0; i < map->n; i++) {
        KeyBinding *b = &map->bindings[i];
        if (same_chord(b->chord, chord) && !strcmp(b->place, place)) {
            return b;
        }
    }
    return NULL;
}

const KeyBinding *keys_find(const KeyMap *map, KeyChord chord, const char *place)
{
    const KeyBinding *own = NULL;
    for (size_t i = 0; i < map->n; i++) {
        const KeyBinding *b = &map->bindings[i];
        if (same_chord(b->chord, chord) && holds_place(b->place, place)) {
            own = b; /* the last line counts */
        }
    }
    return own ? own : find_exactly(map, chord, "");
}

bool keys_acts(const KeyMap *map, const KeyBinding *binding, const char *place)
{
    return keys_find(map, binding->chord, place) == binding;
}

const KeyBinding *keys_find_command(const KeyMap *map, const char *command, const char *place)
{
    for (size_t i = 0; i < map->n; i++) {
        const KeyBinding *b = &map->bindings[i];
        if (!strcmp(b->command, command) && keys_acts(map, b, place)) {
            return b;
        }
    }
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A copy of [begin, end) without blanks around it. */
static char *copy_trimmed(Arena *arena, const char *begin, const char *end, Error *err)
{
    while (begin < end && is_blank(*begin)) {
        begin++;
    }
    while (end > begin && is_blank(end[-1])) {
        end--;
    }
    return arena_strndup(arena, begin, (size_t)(end - begin), err);
}

/* "matrix:E" in two; a lone ":" and ":E" have no place. */
static char *split_place(char *key, const char **place)
{
    size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz-,");
    *place = "";
    if (!n || key[n] != ':' || !key[n + 1]) {
        return key;
    }
    key[n] = 0;
    *place = key;
    return key + n + 1;
}

/* One line that is neither empty nor a comment. */
static bool parse_line(const char *begin, const char *end, const char *where, Arena *arena,
                       KeyBinding *binding, Error *err)
{
    const char *key_end = begin;
    while (key_end < end && !is_blank(*key_end)) {
        key_end++;
    }
    const char *hash = key_end;
    while (hash < end && !(*hash == '#' && is_blank(hash[-1]))) {
        hash++;
    }
    const char *help = hash < end ? hash + 1 : end;
    char *key = copy_trimmed(arena, begin, key_end, err);
    binding->key = key ? split_place(key, &binding->place) : NULL;
    binding->command = copy_trimmed(arena, key_end, hash, err);
    binding->help = copy_trimmed(arena, help, end, err);
    if (!binding->key || !binding->command || !binding->help) {
        return false;
    }
    if (!key_parse(binding->key, &binding->chord)) {
        return error_set(err, ERR_FORMAT,
                         "%s: '%.40s' is no key; keys are characters, Left, PageUp, "
                         "F5 and the like, after Ctrl+, Shift+ or Alt+",
                         where, binding->key);
    }
    if (!*binding->command) {
        return error_set(err, ERR_FORMAT, "%s: the key %.40s has no command behind it", where,
                         binding->key);
    }
    return true;
}

bool keys_parse(KeyMap *map, const char *text, size_t n, const char *name, Arena *arena, Error *err)
{
    size_t n_lines = 1;
    for (size_t i = 0; i < n; i++) {
        n_lines += text[i] == '\n';
    }
    KeyBinding *all = ARENA_ARRAY(arena, KeyBinding, map->n + n_lines, err);
    if (!all) {
        return false;
    }
    if (map->n) {
        memcpy(all, map->bindings, map->n * sizeof *all);
    }
    KeyMap grown = {all, map->n};
    const char *end = text + n;
    int number = 0;
    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        const char *begin = line;
        number++;
        while (begin < stop && is_blank(*begin)) {
            begin++;
        }
        if (begin < stop && *begin != '#') {
            char where[160];
            snprintf(where, sizeof where, "%.120s:%d", name, number);
            KeyBinding binding = {0};
            if (!parse_line(begin, stop, where, arena, &binding, err)) {
                return false;
            }
            KeyBinding *same = find_exactly(&grown, binding.chord, binding.place);
            *(same ? same : &all[grown.n++]) = binding;
        }
        line = stop + 1;
    }
    *map = grown;
    return true;
}
