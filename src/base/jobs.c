#include "base/jobs.h"

#include "base/arena.h"
#include "base/clock.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef struct Job {
    struct Job *next;
    uint64_t id;
    JobDesc desc;
    JobControl control;
    double started_s;
    bool ok;
    Error error;
} Job;

typedef struct Worker {
    struct Jobs *jobs;
    pthread_t thread;
    bool started;
    Job *waiting; /* oldest first */
    Job *running;
} Worker;

struct Jobs {
    JobsDesc desc;
    pthread_mutex_t lock;   /* guards everything below, and the workers' jobs */
    pthread_cond_t changed; /* work arrived, finished, or quit */
    Worker workers[JOB_LANE_COUNT];
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

/* The window draws while all cores compute: a thread that works steps back for it, and so do those
 * that OpenMP starts for it, as they take over its priority. Where that is refused nothing is lost
 * but smoothness. */
static void give_way(void)
{
    enum { NICE = 10 };
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

static void *work(void *payload)
{
    Worker *worker = payload;
    Jobs *jobs = worker->jobs;
    if (jobs->desc.wake) {
        give_way();
    }
    pthread_mutex_lock(&jobs->lock);
    while (true) {
        while (!worker->waiting && !jobs->quit) {
            pthread_cond_wait(&jobs->changed, &jobs->lock);
        }
        Job *job = worker->waiting;
        if (!job) {
            break;
        }
        worker->waiting = job->next;
        worker->running = job;
        job->started_s = clock_now_s();
        pthread_mutex_unlock(&jobs->lock);
        if (atomic_load(&job->control.cancel)) {
            job->ok = error_set(&job->error, ERR_CANCELLED, "%s: cancelled", job->desc.title);
        } else {
            job->ok = job->desc.run(job->desc.payload, &job->control, &job->error);
        }
        pthread_mutex_lock(&jobs->lock);
        worker->running = NULL;
        append(&jobs->finished, job);
        pthread_cond_broadcast(&jobs->changed);
        if (jobs->desc.wake) {
            pthread_mutex_unlock(&jobs->lock);
            jobs->desc.wake(jobs->desc.wake_payload);
            pthread_mutex_lock(&jobs->lock);
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

Jobs *jobs_create(const JobsDesc *desc, Error *err)
{
    Jobs *jobs = mem_alloc_zeroed(1, sizeof *jobs, err);
    if (!jobs) {
        return NULL;
    }
    jobs->desc = desc ? *desc : (JobsDesc){0};
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    for (int i = 0; i < JOB_LANE_COUNT; i++) {
        Worker *worker = &jobs->workers[i];
        worker->jobs = jobs;
        worker->started = pthread_create(&worker->thread, NULL, work, worker) == 0;
        if (!worker->started) {
            error_set(err, ERR_MEMORY, "could not start a worker thread");
            jobs_destroy(jobs);
            return NULL;
        }
    }
    return jobs;
}

/* With the lock held. id 0 = all. */
static void ask_to_stop(Jobs *jobs, uint64_t id)
{
    for (int i = 0; i < JOB_LANE_COUNT; i++) {
        Worker *worker = &jobs->workers[i];
        for (Job *job = worker->waiting; job; job = job->next) {
            if (!id || job->id == id) {
                atomic_store(&job->control.cancel, true);
            }
        }
        if (worker->running && (!id || worker->running->id == id)) {
            atomic_store(&worker->running->control.cancel, true);
        }
    }
}

void jobs_destroy(Jobs *jobs)
{
    if (!jobs) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->quit = true;
    ask_to_stop(jobs, 0);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (int i = 0; i < JOB_LANE_COUNT; i++) {
        if (jobs->workers[i].started) {
            pthread_join(jobs->workers[i].thread, NULL);
        }
    }
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
    append(&jobs->workers[desc->lane].waiting, job);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    return id;
}

void jobs_cancel(Jobs *jobs, uint64_t id)
{
    pthread_mutex_lock(&jobs->lock);
    if (id) {
        ask_to_stop(jobs, id);
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

static bool is_busy(const Jobs *jobs)
{
    bool busy = false;
    for (int i = 0; i < JOB_LANE_COUNT; i++) {
        busy |= jobs->workers[i].waiting || jobs->workers[i].running;
    }
    return busy;
}

/* A signal cannot signal a condition: what may be stopped by one is asked for now and then. */
static void wait_a_little(Jobs *jobs)
{
    enum { NS = 50 * 1000 * 1000 };
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&jobs->changed, &jobs->lock, &until);
}

void jobs_wait_all(Jobs *jobs)
{
    jobs_wait_until(jobs, NULL);
}

void jobs_wait_until(Jobs *jobs, const atomic_bool *stop)
{
    while (true) {
        pthread_mutex_lock(&jobs->lock);
        while (!jobs->finished && is_busy(jobs)) {
            if (stop && atomic_load(stop)) {
                ask_to_stop(jobs, 0);
            }
            if (stop) {
                wait_a_little(jobs);
            } else {
                pthread_cond_wait(&jobs->changed, &jobs->lock);
            }
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
    /* The long one is what somebody waits for. */
    const Worker *worker = NULL;
    for (int i = 0; i < JOB_LANE_COUNT && !worker; i++) {
        const Worker *w = &jobs->workers[i];
        worker = w->running || w->waiting ? w : NULL;
    }
    const Job *job = !worker ? NULL : worker->running ? worker->running : worker->waiting;
    if (job) {
        status.id = job->id;
        status.title = job->desc.title;
        status.stage = atomic_load(&job->control.stage);
        uint64_t total = atomic_load(&job->control.total_units);
        uint64_t done = atomic_load(&job->control.done_units);
        status.fraction = total ? (double)done / (double)total : -1;
        status.seconds = worker->running ? clock_now_s() - job->started_s : 0;
    }
    for (int i = 0; i < JOB_LANE_COUNT; i++) {
        for (const Job *w = jobs->workers[i].waiting; w; w = w->next) {
            status.n_waiting += w != job;
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return status;
}
