#pragma once
/*
 * Long work off the main thread. Two workers, a lane each, run jobs in order (the work itself may
 * use OpenMP): long work, and small pieces that somebody looks at and that must not wait behind it.
 * `run` works on private data, `done` is called on the main thread from jobs_poll and publishes.
 */
#include "base/error.h"

#include <stdatomic.h>

typedef struct Jobs Jobs;

/** What a running job shows and listens to. Written by the worker, read by the main thread. */
typedef struct JobControl {
    atomic_bool cancel;            /* set by the main thread; run should stop soon */
    _Atomic(uint64_t) done_units;  /* progress, in units of run's choice */
    _Atomic(uint64_t) total_units; /* 0 = not known yet */
    _Atomic(const char *) stage;   /* static text: what runs now, "layer 3" style detail is UI's */
} JobControl;

typedef enum JobLane { JOB_LONG, JOB_SHORT, JOB_LANE_COUNT } JobLane;

typedef struct JobDesc {
    const char *title; /* static text, for the status line */
    bool (*run)(void *payload, JobControl *control, Error *err); /* worker thread */
    void (*done)(void *payload, bool ok, const Error *err);      /* main thread, frees payload */
    void *payload;
    JobLane lane; /* jobs of different lanes run side by side */
} JobDesc;

/** Who waits for the jobs. Zero: nobody, they are polled or waited for. */
typedef struct JobsDesc {
    /* Worker threads: called whenever a job has finished, so that an event loop calls jobs_poll.
     * Where it is given the workers step back for the thread that draws. */
    void (*wake)(void *wake_payload);
    void *wake_payload; /* borrowed until jobs_destroy */
} JobsDesc;

typedef struct JobStatus {
    uint64_t id; /* 0 = none runs */
    const char *title;
    const char *stage;
    double fraction; /* 0..1; below 0 = not known */
    double seconds;  /* since it started */
    int n_waiting;   /* jobs behind it */
} JobStatus;

/** desc is copied; NULL is as zero. */
AS_MUST_CHECK Jobs *jobs_create(const JobsDesc *desc, Error *err);
/** Cancels what runs and waits, drops what waits (their done is called with ERR_CANCELLED). */
void jobs_destroy(Jobs *jobs);
/** Queues a job; returns its id (> 0) or 0 with *err: no memory, or jobs_destroy has begun (a
 * `done` called there may try). The payload stays the caller's then; else it is the job's until
 * `done`, which is called once, whatever becomes of it. Main thread. */
AS_MUST_CHECK uint64_t jobs_submit(Jobs *jobs, const JobDesc *desc, Error *err);
/** Asks a job to stop; its done is still called. Unknown ids are ignored. */
void jobs_cancel(Jobs *jobs, uint64_t id);
/** Calls `done` of what has finished. Returns how many. Main thread, once a frame. */
int jobs_poll(Jobs *jobs);
/** Blocks until nothing runs or waits, polling. Main thread. For headless commands and tests. */
void jobs_wait_all(Jobs *jobs);
/** The same; once *stop is true (set by any thread or a signal; may be NULL) everything is
 * cancelled and waited for. */
void jobs_wait_until(Jobs *jobs, const atomic_bool *stop);
JobStatus jobs_status(Jobs *jobs);
