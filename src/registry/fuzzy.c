#include "registry/fuzzy.h"

#include <string.h>

enum {
    NAME_MOST = 255,
    TYPED_MOST = FUZZY_MARKS,
    LETTER = 16,   /* each letter that was found */
    IN_A_ROW = 14, /* after the letter before it */
    WORD_START = 12,
    NAME_START = 8, /* on top of it */
    SAME_CASE = 1,
    GAP = 3,      /* where letters were left out … */
    GAP_MORE = 1, /* … and for each further one */
    NONE = -100000,
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static int letter_score(char typed, const char *name, size_t j)
{
    bool starts = j == 0 || !is_word(name[j - 1]);
    return LETTER + (starts ? WORD_START : 0) + (j == 0 ? NAME_START : 0) +
           (typed == name[j] ? SAME_CASE : 0);
}

int fuzzy_score(const char *typed, const char *name, FuzzyMatch *match)
{
    char letters[TYPED_MOST];
    size_t n = 0;
    for (const char *c = typed; *c; c++) {
        if (*c != ' ') {
            if (n == TYPED_MOST) {
                return 0;
            }
            letters[n++] = *c;
        }
    }
    size_t m = strnlen(name, NAME_MOST);
    if (match) {
        match->n = 0;
    }
    if (n == 0) {
        return 1;
    }
    if (n > m) {
        return 0;
    }
    /* best[i][j]: letters 0..i are placed, letter i on byte j of the name. */
    int16_t from[TYPED_MOST][NAME_MOST];
    int rows[2][NAME_MOST];
    for (size_t i = 0; i < n; i++) {
        const int *before = rows[(i + 1) % 2];
        int *now = rows[i % 2];
        int best_gap = NONE; /* the best of `before` left of j - 1, with what the gap costs */
        int16_t best_at = -1;
        for (size_t j = 0; j < m; j++) {
            if (i > 0 && j >= 2) {
                best_gap -= GAP_MORE;
                if (before[j - 2] - GAP > best_gap) {
                    best_gap = before[j - 2] - GAP;
                    best_at = (int16_t)(j - 2);
                }
            }
            now[j] = NONE;
            from[i][j] = -1;
            if (lower(letters[i]) != lower(name[j])) {
                continue;
            }
            int letter = letter_score(letters[i], name, j);
            if (i == 0) {
                now[j] = letter;
                continue;
            }
            int row = j > 0 && before[j - 1] > NONE / 2 ? before[j - 1] + IN_A_ROW : NONE;
            int gap = best_gap > NONE / 2 ? best_gap : NONE;
            if (row > NONE / 2 && row >= gap) {
                now[j] = row + letter;
                from[i][j] = (int16_t)(j - 1);
            } else if (gap > NONE / 2) {
                now[j] = gap + letter;
                from[i][j] = best_at;
            }
        }
    }
    const int *last = rows[(n - 1) % 2];
    size_t end = 0;
    for (size_t j = 1; j < m; j++) {
        end = last[j] > last[end] ? j : end;
    }
    if (last[end] <= NONE / 2) {
        return 0;
    }
    if (match) {
        match->n = (int)n;
        int at = (int)end;
        for (size_t i = n; i-- > 0;) {
            match->at[i] = (uint16_t)at;
            at = from[i][at];
        }
    }
    bool whole = n == m;
    int score = last[end] * 4 - (int)(m - n) / 4 + (whole ? 40 : 0);
    return AS_MAX(score, 1);
}
