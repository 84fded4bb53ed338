#include "registry/nearest.h"

#include <string.h>

enum { LONGEST = 63 };

int nearest_distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > LONGEST || m > LONGEST) {
        return LONGEST;
    }
    int rows[3][LONGEST + 1]; /* the row before last, the last one, this one; used in turn */
    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = (int)j;
    }
    for (size_t i = 1; i <= n; i++) {
        int *now = rows[i % 3];
        const int *last = rows[(i + 2) % 3];
        const int *before = rows[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = AS_MIN(best, last[j] + 1);
            best = AS_MIN(best, now[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = AS_MIN(best, before[j - 2] + 1);
            }
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

int nearest_word(const char *word, const char *const *words, int n)
{
    int best = -1;
    int best_distance = 0;
    size_t length = strlen(word);
    for (int i = 0; i < n; i++) {
        int distance = nearest_distance(word, words[i]);
        if (length >= 2 && !strncmp(word, words[i], length)) {
            distance = 1;
        }
        int most = length < 3 ? 1 : length < 7 ? 2 : 3;
        bool near = distance <= most && (distance < 2 || 2 * (size_t)distance <= length);
        if (length && near && (best < 0 || distance < best_distance)) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}
