#include "session/recent.h"

#include <string.h>

void recent_add(Recent *recent, const char *line)
{
    size_t n = strlen(line) + 1;
    if (n == 1 || n > RECENT_TEXT_BYTES) {
        return;
    }
    int at = 0;
    while (at < recent->n && strcmp(recent->lines[at], line) != 0) {
        at++;
    }
    char *kept = at < recent->n ? recent->lines[at] : mem_alloc(n, NULL);
    if (!kept) {
        return;
    }
    if (at == recent->n) {
        memcpy(kept, line, n);
        if (recent->n == RECENT_MOST) {
            mem_free(recent->lines[RECENT_MOST - 1]);
            at = RECENT_MOST - 1;
        } else {
            recent->n++;
        }
    }
    memmove(&recent->lines[1], &recent->lines[0], (size_t)at * sizeof recent->lines[0]);
    recent->lines[0] = kept;
}

void recent_clear(Recent *recent)
{
    for (int i = 0; i < recent->n; i++) {
        mem_free(recent->lines[i]);
    }
    *recent = (Recent){0};
}

char *text_escape(Arena *arena, const char *text, size_t n, Error *err)
{
    size_t most;
    if (!checked_mul(n, 2, &most)) {
        error_set(err, ERR_RANGE, "a text of %zu bytes does not fit", n);
        return NULL;
    }
    char *out = arena_alloc(arena, most + 1, err);
    size_t m = 0;
    for (size_t i = 0; out && i < n; i++) {
        char c = text[i];
        if (c == '\n' || c == '\t' || c == '\\') {
            out[m++] = '\\';
            c = c == '\n' ? 'n' : c == '\t' ? 't' : c;
        }
        if (c != '\r' && c != 0) {
            out[m++] = c;
        }
    }
    if (out) {
        out[m] = 0;
    }
    return out;
}

size_t text_unescape(char *text)
{
    size_t m = 0;
    for (const char *a = text; *a; a++) {
        char c = *a;
        if (c == '\\' && a[1]) {
            a++;
            c = *a == 'n' ? '\n' : *a == 't' ? '\t' : *a;
        }
        text[m++] = c;
    }
    text[m] = 0;
    return m;
}
