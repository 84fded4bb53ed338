#pragma once
/*
 * What was done, as command lines, and the way back: every command that changes the selection, the
 * view or an option leaves the state before it on the undo list. Hovering and playback leave no
 * trace there.
 */
#include "session/session.h"

enum { UNDO_MAX = 256 };

/** What undo brings back. */
typedef struct Snapshot {
    ViewId view;
    TraceStack stack; /* SELF while there is no trace */
    Selection selection;
    SessionOptions options;
    StackChoice stack3d;
} Snapshot;

struct Journal {
    ARRAY_OF(char *) lines; /* owned each; in the order they ran */
    Snapshot undo[UNDO_MAX];
    int n_undo;
    Snapshot redo[UNDO_MAX];
    int n_redo;
};

AS_MUST_CHECK bool journal_write(Journal *journal, const char *line, Error *err);
Snapshot snapshot_of(const Session *session);
bool snapshot_equal(const Snapshot *a, const Snapshot *b);
/** Remembers `before` if the session has changed since. */
void journal_remember(Session *session, const Snapshot *before);
/** False when there is nothing to go back (forward) to. */
bool journal_undo(Session *session);
bool journal_redo(Session *session);
void journal_free(Journal *journal);
