/* The program: reads the command line and runs one command. Only src/app prints. */
#include "app/app.h"

#include "app/cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A signal handler has no other way to anything: the mutable variables of the program. */
static JobControl interrupted;
static atomic_bool may_end;

static void on_interrupt(int signal)
{
    static const char line[] = "attnscope: stopped; nothing was written\n";
    (void)signal;
    if (atomic_load(&may_end)) {
        (void)!write(STDERR_FILENO, line, sizeof line - 1);
        _exit(error_exit_status(ERR_CANCELLED));
    }
    atomic_store(&interrupted.cancel, true);
}

/* The first Ctrl+C asks the command to stop and tidy up, the second one ends the program. */
static void listen_to_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction old;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* The terminal is closed; under nohup that is nothing. */
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL);
    }
    /* A reader that went away, or a limit of `ulimit -f`, is a failed write: what is half made is
     * tidied up first. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* OpenMP's threads turn round while they wait, which beside other work takes the processors from
 * one another: several times the time. Its runtime asks the environment before main runs, so the
 * program starts once more with the answer in it; where that cannot be it goes on as it is. */
static void let_waiting_threads_sleep(char **argv)
{
    char path[4096];
    if (getenv("OMP_WAIT_POLICY") || setenv("OMP_WAIT_POLICY", "passive", 0) != 0) {
        return;
    }
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0) {
        return;
    }
    path[n] = '\0';
    /* A loader or a tool that runs the program has another name, and takes other words. */
    const char *called = argv[0] ? strrchr(argv[0], '/') : NULL;
    called = called ? called + 1 : argv[0];
    if (called && strcmp(strrchr(path, '/') + 1, called) == 0) {
        execv(path, argv);
    }
}

int main(int argc, char **argv)
{
    let_waiting_threads_sleep(argv);
    Error err = {0};
    Arguments arguments;
    App app = {.arguments = &arguments,
               .control = &interrupted,
               .may_end = &may_end,
               .log.write = cli_log};
    listen_to_interrupts();
    const char *const *words = (const char *const *)argv;
    bool ok = cli_spell_view(&argc, &words, &app.arena, &err) &&
              arguments_parse(argc, words, cli_looks_like_model, &app.arena, &arguments, &err) &&
              cli_run_command(&app, &err) && cli_flush(&err);
    /* `attnscope … | head`: the reader has what it wanted. */
    ok = ok || (err.code == ERR_IO && cli_reader_left());
    if (!ok) {
        fprintf(stderr, "attnscope: %s\n", err.message);
    }
    arena_destroy(&app.arena);
    return ok ? 0 : error_exit_status(err.code);
}
