#pragma once
/*
 * What a head does, as scores: exact sums of weights over the cells that a pattern names, divided
 * by the number of queries that have such cells (that see one). Never read from summaries.
 *
 *   previous    w_i,i-1
 *   next        w_i,i+1; nothing under a causal mask
 *   self        w_ii
 *   sink        w_i0 of every query but the first: weight parked on the first token
 *   separator   sum of w_ij over keys j > 0 that are special tokens, punctuation or line breaks
 *   local       sum of w_ij over 2 <= |i - j| <= PATTERN_LOCAL_END
 *   induction   sum of w_ij over keys j that follow an earlier occurrence of token i (t_j-1 = t_i,
 *               0 < j <= i): what came after it last time
 *   duplicate   sum of w_ij over earlier occurrences of token i itself (t_j = t_i, j < i)
 *   global      row entropy / log2 of the keys the row sees, over rows that see two or more
 *   content     the largest weight of the row where it stands on none of the cells above and on a
 *               word more than PATTERN_LOCAL_END away, else 0
 *   long-range  sum of w_ij over |i - j| >= PATTERN_LONG_FROM and j > 0
 *
 * A head is called by the score that is furthest above its limit; where there are so few keys that
 * even rows that read everything alike come near it, the score must be PATTERN_ABOVE_CHANCE times
 * theirs. Induction and duplicate must not be below previous, next and self that are above theirs
 * too (PATTERN_LOCAL_ABOVE times for local): tokens that repeat side by side are cells of both.
 * Global, content and long-range name a head (in this order) only when none of the others does:
 * their cells contain the others'. None above its limit is "mixed".
 *
 * Sources: Clark et al. 2019 (arXiv:1906.04341), next, previous, separator, broad heads; Elhage et
 * al. 2021, "A Mathematical Framework for Transformer Circuits"; Olsson et al. 2022
 * (arXiv:2209.11895), induction heads; Xiao et al. 2023 (arXiv:2309.17453), attention sinks.
 * Any thread.
 */
#include "trace/trace.h"

/* id, name, name where there is little room, title, limit above which a head may be called so */
#define PATTERNS(X)                                                                                \
    X(PREVIOUS, "previous", "prev", "Previous", 0.25f)                                             \
    X(NEXT, "next", "next", "Next", 0.25f)                                                         \
    X(SELF, "self", "self", "Self", 0.25f)                                                         \
    X(SINK, "sink", "sink", "Sink, first", 0.40f)                                                  \
    X(SEPARATOR, "separator", "sep", "Separator", 0.40f)                                           \
    X(LOCAL, "local", "local", "Local", 0.25f)                                                     \
    X(INDUCTION, "induction", "induct", "Induction", 0.10f)                                        \
    X(DUPLICATE, "duplicate", "dup", "Duplicate", 0.15f)                                           \
    X(GLOBAL, "global", "global", "Global", 0.75f)                                                 \
    X(CONTENT, "content", "content", "Content", 0.15f)                                             \
    X(LONG, "long-range", "long", "Long-range", 0.50f)

typedef enum Pattern {
#define PATTERN_ENUM(id, name, short_name, title, limit) PATTERN_##id,
    PATTERNS(PATTERN_ENUM)
#undef PATTERN_ENUM
        PATTERN_COUNT
} Pattern;

#define PATTERN_ABOVE_CHANCE 1.5f
#define PATTERN_LOCAL_ABOVE  1.5f

enum {
    PATTERN_MIN_QUERIES = 4, /* that a pattern needs to name a head: fewer are an accident */
    PATTERN_LOCAL_END = 8,   /* tokens */
    PATTERN_LONG_FROM = 32   /* tokens */
};

/** How much may be computed. */
typedef enum PatternWork {
    PATTERNS_FREE,  /* from the row and column statistics: O(N + M) */
    PATTERNS_BAND,  /* and a band around the diagonal (local, next, long-range): O(N * D) */
    PATTERNS_REPEAT /* and repeated tokens (induction, duplicate): see patterns_repeat_cells */
} PatternWork;

typedef struct PatternScores {
    float score[PATTERN_COUNT];       /* 0..1; 0 where no query has such a cell */
    int32_t n_queries[PATTERN_COUNT]; /* that have such cells; 0 = the score says nothing */
    bool known[PATTERN_COUNT];        /* false: not computed, or without meaning here */
    float chance[PATTERN_COUNT];      /* what rows that read everything alike would score */
    int best;                         /* Pattern it is called by; -1 mixed */
} PatternScores;

/** What a pattern is, for people. Static. */
typedef struct PatternText {
    const char *name, *short_name, *title;
    const char *cells; /* "key = query − 1" */
    const char *what;  /* one sentence: what such a head does */
    const char *why;   /* one sentence: why a network has it */
    float limit;
} PatternText;

/** All patterns, the one it is called by first, then by score over limit; not known ones last. */
void pattern_order(const PatternScores *scores, Pattern order[PATTERN_COUNT]);
const PatternText *pattern_text(Pattern pattern);
const char *pattern_name(Pattern pattern);
float pattern_limit(Pattern pattern);
/** Is a weight of this pattern one of its cells? False for global, content (no cells of their own)
 *  and in cross attention. Masked cells are not asked for. */
bool pattern_has_cell(const Trace *trace, Pattern pattern, int32_t query, int32_t key);
/** What a head with these scores is called: a Pattern, -1 mixed (best is not read). */
int pattern_choose(const PatternScores *scores);
/** May the strongest weight of a query be a look at content: at a far word that no rule names? Of
 * one text. */
bool pattern_is_content(const Trace *trace, int32_t query, int32_t key);
/** A token that separates: special, punctuation or a line break. */
bool pattern_is_separator(const TraceToken *token);

/** Cells that PATTERNS_REPEAT computes for one head of this trace; each costs O(D). */
double pattern_repeat_cells(const Trace *trace);

/** Cross attention has sink, separator and global only. Errors: ERR_RANGE, ERR_MEMORY. */
AS_MUST_CHECK bool pattern_scores(const Trace *trace, int32_t layer, int32_t head, PatternWork work,
                                  PatternScores *scores, Error *err);
