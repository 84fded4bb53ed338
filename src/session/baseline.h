#pragma once
/*
 * The run as it was before a change that went through the network (a propagated what-if, an edited
 * token), kept beside the new one so that both can be shown. Of local changes nothing needs to be
 * kept: their "before" follows from the same q and k.
 */
#include "session/run.h"

/** Chooses Session.baseline for a run that is about to be shown as `next`, while s->trace is still
 *  the old one. Runs of another shape, and those that hold more than 1 GiB, are not kept. */
void baseline_keep(Session *s, const SessionRun *run, Trace *next);
