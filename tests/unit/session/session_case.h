#pragma once
/* A session on a made-up model, run to the end. */
#include "testing.h"
#include "words.h"

#include "session/commands.h"
#include "session/journal.h"
#include "session/session.h"

#define SMALL_MODEL "random:L=3,H=4,d=64,seed=3"

static inline Session *session_on(const char *model, const char *text)
{
    Error err = {0};
    Session *s = session_create(&(SessionDesc){0}, &err);
    assert_ok(s, err);
    assert_ok(session_request(
                  s,
                  &(SessionRequest){.model = model, .text = {.text = text, .n_text = strlen(text)}},
                  &err),
              err);
    session_settle(s);
    if (s->error.code) {
        print_error("%s\n", s->error.message);
    }
    assert_int_equal(s->error.code, ERR_NONE);
    return s;
}

/* The same on so many made-up words. */
static inline Session *session_on_words(const char *model, int n)
{
    Arena arena = {0};
    Session *s = session_on(model, words_of(&arena, n));
    arena_destroy(&arena);
    return s;
}

/* Posts and runs. */
static inline void does(Session *s, const char *line)
{
    session_post(s, "%s", line);
    session_settle(s);
}
