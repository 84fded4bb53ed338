#pragma once
/*
 * What the files that make a lesson share. They run on any thread: whatever they read is held by a
 * LessonSource, so that a job may go on while the session shows another run.
 */
#include "session/lesson.h"

/** Retained each; all but `trace` may be NULL. */
typedef struct LessonSource {
    Trace *trace;                     /* whose layer is opened */
    Trace *decoder, *encoder, *cross; /* of the same run, of encoder-decoders */
    Trace *baseline;                  /* the run before a change that went through the network */
    SharedModel *shared;              /* the model that ran */
} LessonSource;

/** What the session shows now. lesson_source_close also frees a zeroed one. */
void lesson_source_open(const Session *session, LessonSource *source);
void lesson_source_close(LessonSource *source);
const Model *lesson_source_model(const LessonSource *source);

/** Fills what is of *lesson but its row: its layer, head, rows and keys say of what. control may be
 *  NULL. False with *err; the arena is the caller's then too. */
AS_MUST_CHECK bool lesson_make(const LessonSource *source, Lesson *lesson, JobControl *control,
                               Error *err);
/** The same of its row, into its row_arena; of a lesson that was made. */
AS_MUST_CHECK bool lesson_make_row(const LessonSource *source, Lesson *lesson, Error *err);
/** Multiplications that making it takes, weights that are read counted as several. */
double lesson_cost(const LessonSource *source, const Lesson *lesson, bool row_only);

/* ---- attention by the architecture's word alone, whatever the run changed (lesson_plain.c) ----
 */

typedef struct LessonPlain {
    bool known; /* false: there is no model, or a term of the scores is hidden by a changed mask */
    AttnArgs args;
    const Trace *trace; /* borrowed */
    int32_t layer;
    bool unscaled, has_bias;
    float temperature; /* of the run */
} LessonPlain;

void lesson_plain_of(const LessonSource *source, const Trace *trace, int32_t layer,
                     LessonPlain *plain);
/** q.k of one query with all keys, dots [M]. */
AS_MUST_CHECK bool lesson_dots(const Trace *trace, int32_t layer, int32_t head, int32_t query,
                               float *dots, Error *err);
/** Its weights [M] as the unchanged architecture has them. plain->known. */
AS_MUST_CHECK bool lesson_plain_row(const LessonPlain *plain, int32_t head, int32_t query,
                                    float *weights, Error *err);

/* ---- what enters cross attention (lesson_cross.c) ---- */

/** Can it be had: are the decoder's and the encoder's states held, and is the model there? */
bool lesson_has_cross_input(const LessonSource *source);
/** x [rows, C]: the decoder's states between self attention and cross attention of a layer, made
 *  again from its input: x + W_O o. Forward passes do not keep them. */
AS_MUST_CHECK bool lesson_cross_queries(const LessonSource *source, int32_t layer,
                                        LessonWindow rows, float *x, Error *err);
/** x [keys, C]: the encoder's last states, which keys and values are made of. */
AS_MUST_CHECK bool lesson_cross_keys(const LessonSource *source, LessonWindow keys, float *x,
                                     Error *err);
/** Fills lesson->beside; leaves it zero where the model has no such pair. */
AS_MUST_CHECK bool lesson_beside(const LessonSource *source, Lesson *lesson, Error *err);
