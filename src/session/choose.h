#pragma once
/*
 * What to look at first, when the person has not said.
 */
#include "session/session.h"

/** Chooses a telling cell of the selected head: the strongest weight that is not on the first
 *  token, the token itself or the one before it, rather late in the text. */
void session_choose_cell(Session *session);
/** The other end of the selected query's (or, false, the selected key's) strongest weight. */
void session_choose_other_end(Session *session, bool of_query);
/** Chooses the head with the clearest pattern, induction before all others, when looking through
 *  all of them takes no noticeable time; else leaves the head as it is. The cell stays. */
void session_choose_head(Session *session);
