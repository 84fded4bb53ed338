#include "session/reading.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static bool reserve(Reading *r, size_t n)
{
    if (r->capacity >= n) {
        return true;
    }
    float *p = mem_alloc(n * sizeof *p, NULL);
    if (!p) {
        return false;
    }
    mem_free(r->row);
    r->row = p;
    r->capacity = n;
    return true;
}

static bool read_all(Reading *r, const Trace *trace)
{
    const TraceInfo *info = trace_info(trace);
    size_t n_keys = (size_t)info->n_keys;
    size_t n_queries = (size_t)info->n_queries;
    if (!reserve(r, n_keys + n_queries)) {
        return false;
    }
    r->column = r->row + n_keys;
    if (!trace_cell(trace, r->layer, r->head, r->query, r->key, &r->cell, NULL) ||
        !trace_row_profile(trace, r->layer, r->head, r->query, r->row, NULL) ||
        !trace_column_profile(trace, r->layer, r->head, r->key, r->column, NULL) ||
        !trace_top_keys(trace, r->layer, r->head, r->query, READING_TOP, r->top, &r->n_top, NULL)) {
        return false;
    }
    r->row_sum = 0;
    r->received = 0;
    r->n_readers = 0;
    for (size_t j = 0; j < n_keys; j++) {
        r->row_sum += (double)r->row[j];
    }
    for (size_t i = 0; i < n_queries; i++) {
        int32_t first;
        int32_t end;
        trace_visible_keys(trace, r->layer, (int32_t)i, &first, &end);
        r->received += (double)r->column[i];
        r->n_readers += first <= r->key && r->key < end;
    }
    trace_visible_keys(trace, r->layer, r->query, &r->row_first, &r->row_end);
    return true;
}

bool reading_update(Reading *r, const Trace *trace, uint64_t trace_version, int32_t layer,
                    int32_t head, int32_t query, int32_t key)
{
    if (r->valid && r->trace_version == trace_version && r->layer == layer && r->head == head &&
        r->query == query && r->key == key) {
        return true;
    }
    r->trace_version = trace_version;
    r->layer = layer;
    r->head = head;
    r->query = query;
    r->key = key;
    r->valid = read_all(r, trace);
    return r->valid;
}

void reading_free(Reading *r)
{
    mem_free(r->row);
    *r = (Reading){0};
}

const char *token_bytes_label(const char *bytes, size_t n, char out[TOKEN_LABEL_MAX])
{
    enum { MOST = 4 };
    size_t at = n > 1 && *bytes == ' ' ? 1 : 0;
    size_t end = AS_MIN(n, at + MOST);
    size_t m = 0;
    out[0] = 0;
    for (size_t i = at; i < end; i++) {
        m += (size_t)snprintf(out + m, TOKEN_LABEL_MAX - m, i > at ? " %02X" : "%02X",
                              (unsigned char)bytes[i]);
    }
    if (end < n) {
        snprintf(out + m, TOKEN_LABEL_MAX - m, "…");
    }
    return out;
}

const char *token_label(const TraceToken *token, char out[TOKEN_LABEL_MAX])
{
    const char *s = token->text ? token->text : "";
    size_t n = strlen(s);
    size_t at = *s == ' ' && n > 1 ? 1 : 0;
    size_t spaces = strspn(s, " ");
    if (n && spaces == n) {
        snprintf(out, TOKEN_LABEL_MAX, n == 1 ? "space" : "space ×%zu", n);
        return out;
    }
    size_t m = 0;
    while (at < n) {
        uint32_t c;
        at += utf8_decode(s + at, n - at, &c);
        c = c == '\n' ? 0x23CE : c == '\t' ? 0x21E5 : c == '\r' ? 0x240D : c;
        if (c < ' ' || c == 0x7F) {
            continue;
        }
        char bytes[4];
        size_t k = utf8_encode(c, bytes);
        if (m + k + 4 > TOKEN_LABEL_MAX) {
            memcpy(out + m, "…", 3);
            m += 3;
            break;
        }
        memcpy(out + m, bytes, k);
        m += k;
    }
    while (m && out[m - 1] == ' ') { /* indentation after a line break */
        m--;
    }
    out[m] = 0;
    if (!m) {
        snprintf(out, TOKEN_LABEL_MAX, "#%d", token->id);
    }
    return out;
}
