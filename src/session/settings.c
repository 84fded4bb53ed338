#include "session/settings.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = RECENT_TEXT_BYTES + 32 };

/* The names are those of the commands that choose. */
static const char *const themes[] = {"night", "paper", "contrast", NULL};
static const char *const levels[] = {"simple", "student", "engineer", NULL};
static const char *const scales[] = {"linear", "sqrt", "log", NULL};
static const char *const rows[] = {"computed", "max", NULL};

bool settings_write(const SessionOptions *o, const Recent *recent, StrBuf *out, Error *err)
{
    bool ok = strbuf_printf(out, err,
                            "# attnscope: what is kept between runs\n"
                            "theme %s\nscale %.4g\nlevel %s\nmap-scale %s\nrows %s\n",
                            themes[AS_CLAMP(o->theme, 0, 2)], (double)o->scale, levels[o->level],
                            scales[o->map_scale], rows[o->rows_normalised]);
    for (int i = 0; i < recent->n && ok; i++) {
        ok = strbuf_printf(out, err, "recent %s\n", recent->lines[i]);
    }
    return ok;
}

static bool read_choice(const char *value, const char *const *names, int *chosen)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(value, names[i]) == 0) {
            *chosen = i;
            return true;
        }
    }
    return false;
}

static bool is_recent(const char *line)
{
    static const char *const kinds[] = {"text ", "open ", "model "};
    for (size_t i = 0; i < AS_COUNT(kinds); i++) {
        if (strncmp(line, kinds[i], strlen(kinds[i])) == 0) {
            return utf8_count_invalid(line, strlen(line)) == 0;
        }
    }
    return false;
}

/* One line; what it says goes into *o and *recent. */
static bool read_line(char *line, SessionOptions *o, Recent *recent)
{
    char *value = line + strcspn(line, " ");
    if (*value) {
        *value++ = 0;
    }
    int choice = 0;
    if (strcmp(line, "theme") == 0) {
        return read_choice(value, themes, &o->theme);
    }
    if (strcmp(line, "level") == 0 && read_choice(value, levels, &choice)) {
        o->level = (ExplainLevel)choice;
        return true;
    }
    if (strcmp(line, "map-scale") == 0 && read_choice(value, scales, &choice)) {
        o->map_scale = (MapScale)choice;
        return true;
    }
    if (strcmp(line, "rows") == 0 && read_choice(value, rows, &choice)) {
        o->rows_normalised = choice;
        return true;
    }
    if (strcmp(line, "scale") == 0) {
        char *end;
        double scale = strtod(value, &end);
        o->scale = (float)scale;
        return end != value && !*end && scale >= 0.25 && scale <= 8;
    }
    if (strcmp(line, "recent") == 0 && is_recent(value)) {
        recent_add(recent, value);
        return true;
    }
    return false;
}

static void turn_around(Recent *recent)
{
    for (int i = 0; i < recent->n / 2; i++) {
        char *line = recent->lines[i];
        recent->lines[i] = recent->lines[recent->n - 1 - i];
        recent->lines[recent->n - 1 - i] = line;
    }
}

bool settings_read(const char *text, size_t n, const char *name, SessionOptions *options,
                   Recent *recent, Error *err)
{
    SessionOptions read = *options;
    Recent list = {0};
    char line[LINE_MOST];
    int number = 0;
    for (const char *at = text; at < text + n;) {
        const char *newline = memchr(at, '\n', (size_t)(text + n - at));
        const char *end = newline ? newline : text + n;
        size_t length = (size_t)(end - at);
        number++;
        bool fits = length < sizeof line && !memchr(at, 0, length);
        memcpy(line, at, fits ? length : 0);
        line[fits ? length : 0] = 0;
        bool skip = fits && (!length || line[0] == '#');
        if (!skip && (!fits || list.n == RECENT_MOST || !read_line(line, &read, &list))) {
            text_make_line(line);
            recent_clear(&list);
            return error_set(err, ERR_FORMAT,
                             "%s:%d: \"%.40s\" is no setting; the defaults are used", name, number,
                             fits ? line : "a long line");
        }
        at = end + 1;
    }
    /* They were added one after the other, the newest first. */
    turn_around(&list);
    *options = read;
    recent_clear(recent);
    *recent = list;
    return true;
}
