#include "base/jobs.h"

#include "base/arena.h"
#include "base/clock.h"

#include <pthread.h>

typedef struct Job {
    struct Job *next;
    uint64_t id;
    JobDesc desc;
    JobControl control;
    double started_s;
    bool ok;
    Error error;
} Job;

struct Jobs {
    pthread_t thread;
    pthread_mutex_t lock;   /* guards everything below */
    pthread_cond_t changed; /* work arrived, finished, or quit */
    Job *waiting;           /* oldest first */
    Job *running;
    Job *finished; /* oldest first */
    uint64_t last_id;
    bool quit;
};

static void append(Job **list, Job *job)
{
    while (*list) {
        list = &(*list)->next;
    }
    job->next = NULL;
    *list = job;
}

static void *work(void *payload)
{
    Jobs *jobs = payload;
    pthread_mutex_lock(&jobs->lock);
    while (true) {
        while (!jobs->waiting && !jobs->quit) {
            pthread_cond_wait(&jobs->changed, &jobs->lock);
        }
        Job *job = jobs->waiting;
        if (!job) {
            break;
        }
        jobs->waiting = job->next;
        jobs->running = job;
        job->started_s = clock_now_s();
        pthread_mutex_unlock(&jobs->lock);
        if (atomic_load(&job->control.cancel)) {
            job->ok = error_set(&job->error, ERR_CANCELLED, "%s: cancelled", job->desc.title);
        } else {
            job->ok = job->desc.run(job->desc.payload, &job->control, &job->error);
        }
        /* Once finished, the main thread may free the job at any time. */
        void (*wake)(void *) = job->desc.wake;
        void *wake_payload = job->desc.wake_payload;
        pthread_mutex_lock(&jobs->lock);
        jobs->running = NULL;
        append(&jobs->finished, job);
        pthread_cond_broadcast(&jobs->changed);
        if (wake) {
            pthread_mutex_unlock(&jobs->lock);
            wake(wake_payload);
            pthread_mutex_lock(&jobs->lock);
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

Jobs *jobs_create(Error *err)
{
    Jobs *jobs = mem_alloc_zeroed(1, sizeof *jobs, err);
    if (!jobs) {
        return NULL;
    }
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    if (pthread_create(&jobs->thread, NULL, work, jobs) != 0) {
        error_set(err, ERR_MEMORY, "could not start a worker thread");
        pthread_cond_destroy(&jobs->changed);
        pthread_mutex_destroy(&jobs->lock);
        mem_free(jobs);
        return NULL;
    }
    return jobs;
}

void jobs_destroy(Jobs *jobs)
{
    if (!jobs) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->quit = true;
    for (Job *job = jobs->waiting; job; job = job->next) {
        atomic_store(&job->control.cancel, true);
    }
    if (jobs->running) {
        atomic_store(&jobs->running->control.cancel, true);
    }
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    pthread_join(jobs->thread, NULL);
    jobs_poll(jobs);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
    mem_free(jobs);
}

uint64_t jobs_submit(Jobs *jobs, const JobDesc *desc, Error *err)
{
    Job *job = mem_alloc_zeroed(1, sizeof *job, err);
    if (!job) {
        return 0;
    }
    job->desc = *desc;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->quit) {
        pthread_mutex_unlock(&jobs->lock);
        mem_free(job);
        error_set(err, ERR_CANCELLED, "%s: no work is taken while the program ends", desc->title);
        return 0;
    }
    uint64_t id = ++jobs->last_id;
    job->id = id;
    append(&jobs->waiting, job);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    return id;
}

void jobs_cancel(Jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    for (Job *job = jobs->waiting; job; job = job->next) {
        if (job->id == id) {
            atomic_store(&job->control.cancel, true);
        }
    }
    if (jobs->running && jobs->running->id == id) {
        atomic_store(&jobs->running->control.cancel, true);
    }
    pthread_mutex_unlock(&jobs->lock);
}

int jobs_poll(Jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    Job *list = jobs->finished;
    jobs->finished = NULL;
    pthread_mutex_unlock(&jobs->lock);
    int n = 0;
    while (list) {
        Job *job = list;
        list = job->next;
        if (job->desc.done) {
            job->desc.done(job->desc.payload, job->ok, &job->error);
        }
        mem_free(job);
        n++;
    }
    return n;
}

void jobs_wait_all(Jobs *jobs)
{
    while (true) {
        pthread_mutex_lock(&jobs->lock);
        while (!jobs->finished && (jobs->waiting || jobs->running)) {
            pthread_cond_wait(&jobs->changed, &jobs->lock);
        }
        bool idle = !jobs->finished;
        pthread_mutex_unlock(&jobs->lock);
        if (idle) {
            return;
        }
        jobs_poll(jobs);
    }
}

JobStatus jobs_status(Jobs *jobs)
{
    JobStatus status = {.fraction = -1};
    pthread_mutex_lock(&jobs->lock);
    const Job *job = jobs->running ? jobs->running : jobs->waiting;
    if (job) {
        status.id = job->id;
        status.title = job->desc.title;
        status.stage = atomic_load(&job->control.stage);
        uint64_t total = atomic_load(&job->control.total_units);
        uint64_t done = atomic_load(&job->control.done_units);
        status.fraction = total ? (double)done / (double)total : -1;
        status.seconds = jobs->running ? clock_now_s() - job->started_s : 0;
    }
    for (const Job *w = jobs->waiting; w; w = w->next) {
        status.n_waiting += w != job;
    }
    pthread_mutex_unlock(&jobs->lock);
    return status;
}
