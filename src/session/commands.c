#include "session/commands_internal.h"

#include "session/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

bool command_bad(const char *arguments, const char *expected, Error *err)
{
    return *arguments ? error_set(err, ERR_USAGE, "\"%s\": expected %s", arguments, expected)
                      : error_set(err, ERR_USAGE, "expected %s", expected);
}

/* "17", or a step from `now`, which ends at least or most. */
static bool read_whole(const char *text, int32_t least, int32_t most, int32_t now, int64_t *to,
                       Error *err)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || errno || n > INT32_MAX || n < -INT32_MAX) {
        return command_bad(text, "a whole number, or +N, -N to step", err);
    }
    bool steps = *text == '+' || *text == '-';
    *to = steps ? AS_CLAMP((int64_t)now + n, (int64_t)least, (int64_t)AS_MAX(most, least)) : n;
    return true;
}

bool command_read_index(const char *text, const char *what, int32_t n, int32_t *value, Error *err)
{
    int64_t to = 0;
    if (!read_whole(text, 0, n - 1, *value, &to, err)) {
        return false;
    }
    if (to >= n) {
        return error_not_there(err, what, to, n);
    }
    *value = (int32_t)to;
    return true;
}

bool command_read_count(const char *text, int32_t least, int32_t most, int32_t *value, Error *err)
{
    int64_t to = 0;
    if (!read_whole(text, least, most, *value, &to, err)) {
        return false;
    }
    if (to < least || to > most) {
        return error_set(err, ERR_RANGE, "\"%s\": expected a whole number from %d to %d", text,
                         least, most);
    }
    *value = (int32_t)to;
    return true;
}

bool command_read_number(const char *text, double lo, double hi, double *value, Error *err)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= lo && v <= hi)) {
        return error_set(err, ERR_USAGE, "\"%s\": expected a number from %g to %g", text, lo, hi);
    }
    *value = v;
    return true;
}

bool command_read_choice(const char *text, const char *const *names, int n, int *value, Error *err)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return true;
        }
    }
    char list[256] = "";
    size_t used = 0;
    for (int i = 0; i < n && used < sizeof list; i++) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return error_set(err, ERR_USAGE, "\"%s\" is not one of %s", text, list);
}

/* ---- undo ---- */

static bool do_undo(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    journal_undo(s);
    return true;
}

static bool do_redo(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    journal_redo(s);
    return true;
}

static const SessionCommand journal_commands[] = {
    {"undo", "", "go back to what was shown before", false, do_undo},
    {"redo", "", "take the undo back", false, do_redo},
    {0},
};

/* ---- the tables ---- */

/* clang-format off */
const SessionCommand *const session_command_tables[] = {
    session_select_commands,
    session_run_commands,
    session_play_commands,
    session_show_commands,
    session_flow_commands,
    session_find_commands,
    session_teach_commands,
    session_stack_commands,
    session_explore_commands,
    session_heads_commands,
    session_story_commands,
    journal_commands,
    NULL,
};
/* clang-format on */

const SessionCommand *session_command_find(const char *line)
{
    size_t n = strcspn(line, " ");
    for (const SessionCommand *const *table = session_command_tables; *table; table++) {
        for (const SessionCommand *c = *table; c->name; c++) {
            if (strlen(c->name) == n && memcmp(c->name, line, n) == 0) {
                return c;
            }
        }
    }
    return NULL;
}

bool session_run_command(Session *session, const char *line, Error *err)
{
    size_t n = strcspn(line, " ");
    const char *arguments = line + n + strspn(line + n, " ");
    const SessionCommand *command = session_command_find(line);
    Snapshot before = snapshot_of(session);
    bool ok;
    if (command) {
        ok = command->run(session, arguments, err);
    } else {
        char name[32];
        size_t m = AS_MIN(n, sizeof name - 1);
        memcpy(name, line, m);
        name[m] = 0;
        ok = session->view_command &&
             session->view_command(session->view_payload, session, name, arguments, err);
        if (!ok && !(err && err->code)) {
            error_set(err, ERR_USAGE, "there is no command \"%s\"", name);
        }
    }
    bool back = command && (command->run == do_undo || command->run == do_redo);
    if (ok && command && !command->fleeting && !back) {
        journal_remember(session, &before);
    }
    if (ok && !(command && command->fleeting)) {
        ok = journal_write(session->journal, line, err);
    }
    session->version++;
    return ok;
}
