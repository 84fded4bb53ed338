#pragma once
/* The stacks of a run; session.h has what views may ask. */
#include "session/session.h"

/** Shows a trace of session->stacks: everything that was computed of another one goes. */
void stacks_show(Session *session, Trace *trace);
