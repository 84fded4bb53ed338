#pragma once
/*
 * What a head does, as scores: exact sums of weights over the cells that a pattern names, divided
 * by the number of queries that have such cells. Never read from summaries.
 *
 *   sink       w_i0 of every query but the first: weight parked on the first token
 *   previous   w_i,i-1 of every query but the first
 *   self       w_ii
 *   induction  sum of w_ij over keys j that follow an earlier occurrence of token i (t_j-1 = t_i,
 *              0 < j <= i): what came after it last time. Over queries that have one.
 *   duplicate  sum of w_ij over earlier occurrences of token i itself (t_j = t_i, j < i)
 *
 * Sources: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; Olsson et al.
 * 2022 (arXiv:2209.11895), induction heads; Xiao et al. 2023 (arXiv:2309.17453), attention sinks.
 * Any thread.
 */
#include "trace/trace.h"

/* id, name, limit above which a head may be called so */
#define PATTERNS(X)                                                                                \
    X(SINK, "sink", 0.40f)                                                                         \
    X(PREVIOUS, "previous", 0.25f)                                                                 \
    X(SELF, "self", 0.25f)                                                                         \
    X(INDUCTION, "induction", 0.10f)                                                               \
    X(DUPLICATE, "duplicate", 0.15f)

typedef enum Pattern {
#define PATTERN_ENUM(id, name, limit) PATTERN_##id,
    PATTERNS(PATTERN_ENUM)
#undef PATTERN_ENUM
        PATTERN_COUNT
} Pattern;

enum { PATTERN_MIN_QUERIES = 4 }; /* that a pattern needs to name a head: fewer are an accident */

typedef struct PatternScores {
    float score[PATTERN_COUNT];       /* 0..1; 0 where no query has such a cell */
    int32_t n_queries[PATTERN_COUNT]; /* that have such cells; 0 = the score says nothing */
    bool known[PATTERN_COUNT];        /* false: not computed (see `repeats`) */
    int best; /* Pattern with the largest score / limit above 1 over at least PATTERN_MIN_QUERIES
                 queries; -1 none */
} PatternScores;

const char *pattern_name(Pattern pattern);
float pattern_limit(Pattern pattern);

/** Self-attention only (N = M). Sink, previous and self come from the row statistics at no cost;
 *  `repeats` adds induction and duplicate, at O(N * M * D) time. */
AS_MUST_CHECK bool pattern_scores(const Trace *trace, int32_t layer, int32_t head, bool repeats,
                                  PatternScores *scores, Error *err);
