#include "session/commands_internal.h"

#include <string.h>

/* Stories: guided courses. */

static bool do_stories(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    s->panel = s->panel == PANEL_STORIES ? PANEL_NONE : PANEL_STORIES;
    return true;
}

static bool do_story(Session *s, const char *a, Error *err)
{
    char name[64];
    size_t n = strcspn(a, " ");
    if (n == 0 || n >= sizeof name) {
        return command_bad(a, "NAME [SCENE]", err);
    }
    memcpy(name, a, n);
    name[n] = 0;
    int32_t scene = 0;
    const char *rest = a + n + strspn(a + n, " ");
    return (!*rest || command_read_index(rest, "scene", INT32_MAX, &scene, err)) &&
           story_enter(s, name, scene, err);
}

static bool do_scene(Session *s, const char *a, Error *err)
{
    const Story *story = session_story(s);
    if (!story) {
        return error_set(err, ERR_USAGE, "no story is open: choose one with \"stories\"");
    }
    int32_t scene = s->story.scene;
    return command_read_index(a, "scene", story->n_scenes, &scene, err) &&
           story_enter(s, story->name, scene, err);
}

static bool do_leave(Session *s, const char *a, Error *err)
{
    (void)err;
    (void)a;
    story_leave(s);
    return true;
}

const SessionCommand session_story_commands[] = {
    {"stories", "", "the guided stories", false, do_stories},
    {"story", "NAME [SCENE]", "begin a guided story", false, do_story},
    {"scene", COMMAND_STEPS, "go to a scene of the story", false, do_scene},
    {"story-end", "", "leave the story", false, do_leave},
    {0},
};
