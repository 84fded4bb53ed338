#pragma once
/*
 * Made-up attention patterns for teaching: queries and keys written so that each head does one
 * thing, and its name says what. They take the place of a made-up model's projections
 * ("synthetic:pattern=evolving"); everything after them (scores, softmax, values, what-if) is the
 * ordinary pass.
 *
 * A kernel of the distance between two tokens is a sum of cosines of it, sum_f cos(w_f (i - j -
 * d)), which is a dot product of sines and cosines of i with those of j (random Fourier features:
 * Rahimi & Recht 2007), here at fixed quantiles of a normal distribution.
 */
#include "base/base.h"

/* id, name of the key pattern=, what a head of it does */
#define SYNTHETIC_PATTERNS(X)                                                                      \
    X(EVOLVING, "evolving", "from near to far over the layers")                                    \
    X(LOCAL, "local", "reads the tokens just before it")                                           \
    X(POSITIONAL, "positional", "reads the token at a fixed distance")                             \
    X(SYNTACTIC, "syntactic", "reads the nearest head word before it")                             \
    X(SEMANTIC, "semantic", "reads words of its own group")                                        \
    X(INDUCTION, "induction", "reads what followed the same word before")                          \
    X(SINK, "sink", "rests on the first token")                                                    \
    X(GLOBAL, "global", "reads all tokens alike")

typedef enum SyntheticPattern {
#define SYNTHETIC_ENUM(id, name, does) SYNTHETIC_##id,
    SYNTHETIC_PATTERNS(SYNTHETIC_ENUM)
#undef SYNTHETIC_ENUM
        SYNTHETIC_COUNT
} SyntheticPattern;

/** "local"; static. */
const char *synthetic_name(SyntheticPattern pattern);
/** "reads the tokens just before it"; static. */
const char *synthetic_does(SyntheticPattern pattern);
AS_MUST_CHECK bool synthetic_find(const char *name, size_t n, SyntheticPattern *pattern);
/** The names with "|" between, for messages. Static. */
const char *synthetic_names(void);

enum { SYNTHETIC_MIN_WIDTH = 16 }; /* of a head: fewer dimensions hold no pattern apart */

/** What one head was made to be. */
typedef struct SyntheticHead {
    SyntheticPattern pattern; /* never EVOLVING */
    float reach;              /* LOCAL: tokens it spreads over; POSITIONAL: the distance */
    uint64_t seed;            /* of groups and words */
} SyntheticHead;

/** What a model of such heads was made with. */
typedef struct SyntheticModel {
    SyntheticPattern pattern;
    uint64_t seed;
} SyntheticModel;

/** The head of a model whose pattern is `pattern`; an evolving one starts with near patterns and
 *  ends with far ones. */
SyntheticHead synthetic_head(SyntheticPattern pattern, uint64_t seed, int32_t layer,
                             int32_t n_layers, int32_t head);

/** Tokens that SYNTACTIC heads take for head words, and the group of SEMANTIC ones (0..4): by a
 *  hash of the id, so that they mean nothing but stay the same through the text. */
bool synthetic_is_head_word(uint64_t seed, int32_t id);
int32_t synthetic_group(uint64_t seed, int32_t id);

/** Writes q and k [n, width], rows packed; scores are then q . k / sqrt(width). Any thread. */
void synthetic_operands(const SyntheticHead *head, const int32_t *ids, int32_t n, int32_t width,
                        float *q, float *k);
