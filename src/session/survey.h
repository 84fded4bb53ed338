#pragma once
/*
 * What can be said about a text as a whole, found by jobs that take one layer at a time, so that
 * nothing else waits long: the patterns of every head, which token draws the most weight, the three
 * most striking heads with the links that show why, and what the model predicts. Main thread only.
 */
#include "session/session.h"

enum {
    SURVEY_CARDS = 3,
    SURVEY_SLOTS = 20,
    SURVEY_LINKS = SURVEY_SLOTS * SURVEY_SLOTS,
    SURVEY_NEXT = 8
};

/** Why a head is shown. The first ones are the patterns of analysis/patterns.h. */
typedef enum SurveyReason {
    SURVEY_LINK = PATTERN_COUNT, /* one token reads another that is no neighbour and no repeat */
    SURVEY_REASON_COUNT
} SurveyReason;

/** One head. */
typedef struct SurveyHead {
    PatternScores scores; /* best is -1 until the layer is scored */
    float entropy;        /* bits, mean over the queries */
    float distance;       /* tokens, mean of sum_j w_ij |i - j| over the queries */
    /* its strongest link between two words that are no neighbours and no repeats; -1 = none */
    int32_t query, key;
    float weight;
} SurveyHead;

typedef struct SurveyLink {
    int16_t query, key; /* places in slots */
    float weight;
    bool strong; /* it is what the card is about */
} SurveyLink;

/** A head worth a look, and the part of the text that shows why. */
typedef struct SurveyCard {
    int32_t layer, head;
    int reason;         /* Pattern or SurveyReason */
    int32_t query, key; /* the link that shows it best; its weight is */
    float weight;
    float score;                 /* 0..1: the pattern's score or the link's weight */
    int32_t slots[SURVEY_SLOTS]; /* tokens shown, ascending; a gap where they do not follow */
    int32_t n_slots;
    SurveyLink links[SURVEY_LINKS]; /* strongest first */
    int32_t n_links;
    int32_t n_queries; /* whose links are shown: one, those that repeat something, or all */
    float mass;        /* share of these queries' weight that the links carry */
} SurveyCard;

/** A token that may come next. */
typedef struct SurveyNext {
    int32_t id;
    float probability;
    bool special;
    char label[TOKEN_LABEL_MAX];
} SurveyNext;

/** What would be predicted after so many layers. */
typedef struct SurveyLens {
    SurveyNext top;
    float of_final; /* probability of what is predicted in the end */
    int32_t rank_of_final;
} SurveyLens;

typedef struct SurveyJob SurveyJob;

/** Zero is empty. */
typedef struct Survey {
    uint64_t trace_version;
    int32_t n_layers;      /* that it will look through */
    int32_t layers_scored; /* heads of layers below are there */
    SurveyHead *heads;     /* [L, H] owned */
    bool repeats_known;    /* induction and duplicate were scored: the text is short enough */

    /* the token that draws the most weight, and its share of it; -1 = not known yet. Where it is
     * token 0 the first query, which sees nothing else under a causal mask, does not count. */
    double *received;  /* [M] owned, summed over heads and queries */
    double first_self; /* sum over heads of w_00 */
    int32_t sink;
    float sink_share;

    SurveyCard cards[SURVEY_CARDS];
    int n_cards;

    SurveyNext next[SURVEY_NEXT];
    int n_next;      /* 0: the model predicts nothing here, or not yet */
    int32_t next_at; /* the token whose place is predicted: after it, or its own ([MASK]) */
    bool next_is_mask;
    SurveyLens *lens; /* [n_lens] owned: after 0, 1, … layers */
    int32_t n_lens;

    int step;       /* what comes next: see survey.c */
    bool finished;  /* everything above is there */
    Error failure;  /* code 0 = none; then it stays as it is until survey_again */
    SurveyJob *job; /* on its way */
    uint64_t job_id;

    /* mean over all heads of one row */
    uint64_t row_version; /* trace version */
    int32_t row_query, row_layers;
    float *row; /* [M] owned */
    Error row_failure;
    SurveyJob *row_job;
    uint64_t row_job_id;
} Survey;

/** The survey of the published trace, as far as it is; starts or goes on with it. NULL while there
 *  is no trace or no memory. */
const Survey *session_survey(Session *session);
/** Mean over all heads of all computed layers of the weights of a query, [M]. NULL while a job
 *  computes it (the newest request wins). Borrowed until the next call. */
const float *session_mean_row(Session *session, int32_t query);
/** After a failure or a cancel: begins again where it stopped. */
void survey_again(Session *session);
/** Stops jobs; what is known stays. */
void survey_stop(Session *session);
/** Frees session->survey. */
void survey_free(Session *session);
