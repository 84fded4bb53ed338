/* The program: reads the command line and runs one command. Only src/app prints. */
#include "app/app.h"

#include "app/cli.h"

#include <signal.h>
#include <stdio.h>

/* A signal handler has no other way to anything: the one mutable variable of the program. */
static JobControl interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    atomic_store(&interrupted.cancel, true);
}

/* The first Ctrl+C asks the command to stop and tidy up, the second one ends the program. */
static void listen_to_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A reader that went away is a failed write: what is half made is tidied up first. */
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    Error err = {0};
    Arguments arguments;
    App app = {.arguments = &arguments, .control = &interrupted, .log.write = cli_log};
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
