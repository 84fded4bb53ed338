#pragma once
/*
 * One run on its way: open the model, read and split the text, fill a trace. Everything happens in
 * a job on private data; session.c publishes.
 */
#include "session/session.h"

struct SharedModel {
    Model *model;
    Tokenizer *tokenizer; /* NULL: the model has none, only ids will do */
    char *spec;           /* owned */
    atomic_int owners;
};

SharedModel *shared_model_retain(SharedModel *shared);
/** NULL is fine. */
void shared_model_release(SharedModel *shared);

struct SessionRun {
    Session *session; /* main thread only; NULL once the session does not want it any more */
    Arena arena;      /* copies of the request, tokens */
    SessionRequest request;
    SharedModel *shared; /* retained; given, or opened by the job */
    TraceSet traces;     /* owned; the main thread reads it once it is `ready` */
    atomic_bool ready;
    bool published; /* main thread: the session shows this trace */
    char note[512]; /* last warning, written by the job, read when it is done */
    Log log;        /* of the job: keeps the note, passes on */
    const Log *outer_log;
    void (*wake)(void *payload);
    void *wake_payload;
};

/** Copies a request with everything it points to into an arena. */
AS_MUST_CHECK bool request_copy(Arena *arena, const SessionRequest *from, SessionRequest *to,
                                Error *err);
/** A run of the session's request; takes over its present model when that is the one wanted. */
AS_MUST_CHECK SessionRun *run_create(Session *session, Error *err);
void run_destroy(SessionRun *run);
/** JobDesc.run */
bool run_work(void *payload, JobControl *control, Error *err);
