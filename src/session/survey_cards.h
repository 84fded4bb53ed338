#pragma once
/*
 * Which heads are worth a look, and which links show why. Any thread.
 */
#include "session/survey.h"

/** Sets query, key and weight of `out`: the strongest link of a head between two words that are
 *  neither neighbours nor a repeat of something earlier; later queries count more. */
void survey_find_content(const Trace *trace, const TraceRows *rows, SurveyHead *out);
/** heads [n_layers, H] scored. Fills at most SURVEY_CARDS cards of different heads. */
AS_MUST_CHECK bool survey_choose_cards(const Trace *trace, const SurveyHead *heads,
                                       int32_t n_layers, SurveyCard *cards, int *n_cards,
                                       Error *err);
