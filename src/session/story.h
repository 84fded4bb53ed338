#pragma once
/*
 * Stories: short guided courses on a built-in text and model. A story is a text file of scenes
 * (assets/stories); a scene says something, brings the window into a state by ordinary commands,
 * and may ask the learner to try something, which it recognises by a condition on the session.
 *
 *   title  Words look at words
 *   about  One line for the list.
 *   model  tiny
 *   text   default.txt                 an example of assets/examples
 *   scene  A short title
 *   do     view matrix                 commands, in order
 *   says   Up to the next keyword; {query}, {key}, {weight}, {percent}, {layer}, {head} are
 *          replaced by what is selected when it is read.
 *   try    What the learner is asked to do.
 *   when   temperature >= 2            how it is recognised: one of layer, head, query, key, step,
 *                                      temperature with = >= <=, or view NAME, mask NAME
 *   well   What is said then.
 *
 * Main thread only.
 */
#include "base/arena.h"

typedef struct Session Session;

typedef enum StoryWhat {
    STORY_NOTHING,
    STORY_LAYER,
    STORY_HEAD,
    STORY_QUERY,
    STORY_KEY,
    STORY_STEP,
    STORY_TEMPERATURE,
    STORY_VIEW,
    STORY_MASK,
} StoryWhat;

typedef enum StoryRelation { STORY_IS, STORY_AT_LEAST, STORY_AT_MOST } StoryRelation;

typedef struct StoryCondition {
    StoryWhat what;
    StoryRelation relation;
    double number;
    const char *name; /* of a view or a mask */
} StoryCondition;

typedef struct StoryScene {
    const char *title, *says;
    const char *asks, *well; /* NULL = nothing to try */
    StoryCondition when;
    const char **commands;
    int n_commands;
} StoryScene;

/** Strings are borrowed from the arena it was read into. */
typedef struct Story {
    const char *name; /* of its file, without ".story" */
    const char *title, *about;
    const char *model, *text;
    StoryScene *scenes;
    int n_scenes;
} Story;

/** Reads one. ERR_FORMAT names file, line and what was expected. */
AS_MUST_CHECK bool story_parse(const char *name, const char *text, size_t n, Arena *arena,
                               Story *story, Error *err);

/** Where the learner is. Zero: in no story. */
typedef struct StoryPlace {
    Arena arena;
    Story *stories; /* all built-in ones, read when first needed */
    int n_stories;
    bool read;

    int story; /* 1 + index; 0 = none */
    int scene;
    bool waiting; /* its text is being run: the commands come after */
    bool tried;   /* the learner did what the scene asks for */
} StoryPlace;

/** All built-in stories; *n 0 when they cannot be read (the session's note says why). */
const Story *session_stories(Session *session, int *n);
/** The story and scene in front; NULL when there is none. */
const Story *session_story(const Session *session);
const StoryScene *session_scene(const Session *session);
/** Goes to a scene of a story by name: runs its text where another one is shown, then its commands.
 *  ERR_USAGE names the stories there are. */
AS_MUST_CHECK bool story_enter(Session *session, const char *name, int scene, Error *err);
void story_leave(Session *session);
/** Runs what waits, and sees whether the learner did it. Between two frames. */
void story_update(Session *session);
/** The scene's words with the selection's numbers put in, in the arena; "" on ERR_MEMORY. */
const char *story_words(Session *session, const char *words, Arena *arena);
/** Frees what was read. */
void story_free(StoryPlace *place);
