#include "session/journal.h"

#include "session/commands.h"

#include <string.h>

bool journal_write(Journal *journal, const char *line, Error *err)
{
    char *copy = mem_strdup(line, err);
    if (!copy) {
        return false;
    }
    if (!ARRAY_PUSH(&journal->lines, copy, err)) {
        mem_free(copy);
        return false;
    }
    return true;
}

Snapshot snapshot_of(const Session *session)
{
    TraceStack stack = session->trace ? trace_info(session->trace)->stack : TRACE_STACK_SELF;
    return (Snapshot){session->view, stack, session->selection, session->options, session->stack3d};
}

static bool same_choice(const Selection *s, const Selection *t)
{
    return s->combine == t->combine && head_set_equal(&s->set, &t->set) &&
           memcmp(&s->brush_query, &t->brush_query, sizeof s->brush_query) == 0 &&
           memcmp(&s->brush_key, &t->brush_key, sizeof s->brush_key) == 0 &&
           s->n_marks == t->n_marks &&
           memcmp(s->marks, t->marks, (size_t)s->n_marks * sizeof s->marks[0]) == 0 &&
           strcmp(s->find, t->find) == 0;
}

static bool same_picture(const SessionOptions *o, const SessionOptions *p)
{
    return o->map_lo == p->map_lo && o->map_hi == p->map_hi && o->reduce_mean == p->reduce_mean &&
           o->hide_first == p->hide_first && o->hide_special == p->hide_special &&
           o->pair_only == p->pair_only && o->diagonal == p->diagonal &&
           o->outline_hidden == p->outline_hidden;
}

bool snapshot_equal(const Snapshot *a, const Snapshot *b)
{
    const Selection *s = &a->selection;
    const Selection *t = &b->selection;
    const SessionOptions *o = &a->options;
    const SessionOptions *p = &b->options;
    return a->view == b->view && a->stack == b->stack && s->layer == t->layer &&
           s->head == t->head && s->query == t->query && s->key == t->key &&
           s->pinned == t->pinned && s->step == t->step && same_choice(s, t) &&
           same_picture(o, p) && s->window_first == t->window_first &&
           s->window_count == t->window_count && s->dim == t->dim && o->course == p->course &&
           o->curve_weights == p->curve_weights && o->try_open == p->try_open &&
           o->theme == p->theme && o->scale == p->scale && o->level == p->level &&
           o->map_scale == p->map_scale && o->rows_normalised == p->rows_normalised &&
           o->inspector_toggled == p->inspector_toggled && o->lens == p->lens &&
           o->terms_largest == p->terms_largest && o->terms_from == p->terms_from &&
           memcmp(&o->flow, &p->flow, sizeof o->flow) == 0 &&
           memcmp(&o->heads, &p->heads, sizeof o->heads) == 0 && o->matrix_menu == p->matrix_menu &&
           o->matrix_reading == p->matrix_reading &&
           memcmp(o->folds_closed, p->folds_closed, sizeof o->folds_closed) == 0 &&
           stack_choice_equal(&a->stack3d, &b->stack3d);
}

static void push(Snapshot *list, int *n, const Snapshot *snapshot)
{
    if (*n == UNDO_MAX) {
        memmove(list, list + 1, sizeof *list * (UNDO_MAX - 1));
        (*n)--;
    }
    list[(*n)++] = *snapshot;
}

void journal_remember(Session *session, const Snapshot *before)
{
    Snapshot now = snapshot_of(session);
    if (!snapshot_equal(before, &now)) {
        push(session->journal->undo, &session->journal->n_undo, before);
        session->journal->n_redo = 0;
    }
}

static void bring_back(Session *session, const Snapshot *snapshot)
{
    if (session->view != snapshot->view || session->options.course != snapshot->options.course) {
        playback_forget(session);
    }
    session->view = snapshot->view;
    (void)session_select_stack(session, snapshot->stack); /* another model may have none of that */
    session->selection = snapshot->selection;
    session->options = snapshot->options;
    session->stack3d = snapshot->stack3d;
    /* The text may be another one by now. */
    session_clamp_selection(session);
}

bool journal_undo(Session *session)
{
    Journal *journal = session->journal;
    if (!journal->n_undo) {
        return false;
    }
    Snapshot now = snapshot_of(session);
    push(journal->redo, &journal->n_redo, &now);
    bring_back(session, &journal->undo[--journal->n_undo]);
    return true;
}

bool journal_redo(Session *session)
{
    Journal *journal = session->journal;
    if (!journal->n_redo) {
        return false;
    }
    Snapshot now = snapshot_of(session);
    push(journal->undo, &journal->n_undo, &now);
    bring_back(session, &journal->redo[--journal->n_redo]);
    return true;
}

void journal_free(Journal *journal)
{
    if (!journal) {
        return;
    }
    for (size_t i = 0; i < journal->lines.n; i++) {
        mem_free(journal->lines.items[i]);
    }
    ARRAY_FREE(&journal->lines);
    mem_free(journal);
}
