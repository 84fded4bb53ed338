#pragma once
/*
 * Everything that a run reads, from what a person gave: the tokens of the text, the target of an
 * encoder-decoder (given, or written by the model itself), the picture of a vision model. The
 * window and the command line go the same way. What is left out or made up is said in the log.
 */
#include "session/text_tokens.h"

/* Tokens of a target that the model writes where the target's max_tokens does not say. */
enum { RUN_TARGET_USUAL = 512 };

/** What was given. Borrowed. */
typedef struct RunInputDesc {
    const Model *model;
    const Tokenizer *tokenizer; /* NULL is fine with ids, and for pictures */
    TextRequest text;
    TextRequest target;     /* text or ids of encoder-decoders; neither: the model writes one */
    const char *image_path; /* of vision models */
    bool encoder_alone;     /* no target is looked at: the model need not write one */
    int32_t threads;        /* 0 = all */
    const Log *log;
    JobControl *control; /* may be NULL */
} RunInputDesc;

/** What the run reads, in the arena given. */
typedef struct RunInput {
    TextTokens text;
    TextTokens target;   /* n = 0: not an encoder-decoder */
    TraceImage image;    /* rgb NULL: not a vision model */
    const float *pixels; /* of it */
} RunInput;

/** Does the model have a target? */
bool run_input_has_target(const Model *model);
/** Errors as text_tokens, image_read and model_generate; ERR_USAGE for a picture, a text or a
 *  target that the model has no use for. */
AS_MUST_CHECK bool run_input_read(const RunInputDesc *desc, Arena *arena, RunInput *input,
                                  Error *err);
/** Puts it into a TraceDesc (tokens, target, picture); borrowed from the input. */
void run_input_describe(const RunInput *input, TraceDesc *desc);
