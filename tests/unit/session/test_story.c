/* Stories: the format, bad files, and every scene of the built-in ones played on the real model. */
#include "session_case.h"

#include <math.h>

static bool parse(const char *text, Story *story, Arena *arena, Error *err)
{
    return story_parse("a", text, strlen(text), arena, story, err);
}

static void test_story_parse__whole(void **state)
{
    (void)state;
    Arena arena = {0};
    Error err = {0};
    Story story;
    assert_ok(parse("# note\ntitle T\nabout  A b\nmodel hash:L=1\ntext ayam.txt\n\n"
                    "scene One\ndo layer 1\ndo pin 1 0\nsays Hello\n      there {key}\n"
                    "scene Two\nsays x\ntry t\nwhen temperature >= 2.5\nwell w\n",
                    &story, &arena, &err),
              err);
    assert_int_equal(story.n_scenes, 2);
    assert_string_equal(story.about, "A b");
    assert_string_equal(story.scenes[0].says, "Hello there {key}");
    assert_int_equal(story.scenes[0].n_commands, 2);
    assert_string_equal(story.scenes[0].commands[1], "pin 1 0");
    assert_int_equal(story.scenes[1].when.what, STORY_TEMPERATURE);
    assert_int_equal(story.scenes[1].when.relation, STORY_AT_LEAST);
    assert_true(story.scenes[1].when.number == 2.5);
    arena_destroy(&arena);
}

static void test_story_parse__bad(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "expected a title"},
        {"title T\n", "at least one scene"},
        {"title T\nscene a\n", "a scene needs \"says\""},
        {"title T\nscene a\nsays b\ntry c\n", "\"when\" where it has \"try\""},
        {"title T\nscene a\nsays b\ntry c\nwhen nothing 3\n", "line 5"},
        {"title T\nscene a\nsays b\nwhen layer >= x\n", "expected a number"},
        {"title T\nscene a\nsong b\n", "expected scene, do, says"},
        {"  goes on\n", "nothing to go on with"},
        {"scene a\ntitle T\n", "line 2"},
        {"averyveryverylongkeyword x\n", "expected a keyword"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Arena arena = {0};
        Error err = {0};
        Story story;
        assert_false(parse(rows[i].text, &story, &arena, &err));
        if (!strstr(err.message, rows[i].says)) {
            print_error("row %zu: %s\n", i, err.message);
            fail();
        }
        arena_destroy(&arena);
    }
}

/* Plays one scene: what it does must be known and there, and the learner must still have to try. */
static void play_scene(Session *s, const Story *story, int scene)
{
    char line[128];
    snprintf(line, sizeof line, "story %s %d", story->name, scene);
    s->note[0] = 0;
    does(s, line);
    const StoryScene *now = session_scene(s);
    assert_non_null(now);
    assert_ptr_equal(now, &story->scenes[scene]);
    if (s->note[0] || s->error.code || s->story.waiting || s->story.tried) {
        print_error("%s, scene %d: note \"%s\", waiting %d, tried %d\n", story->name, scene,
                    s->note, s->story.waiting, s->story.tried);
        fail();
    }
    Arena arena = {0};
    const char *words = story_words(s, now->says, &arena);
    if (strstr(words, "…") || strchr(words, '{')) {
        print_error("%s, scene %d: %s\n", story->name, scene, words);
        fail();
    }
    /* A pinned weight that is spoken of is one that is worth it. */
    if (strstr(now->says, "{percent}")) {
        const Reading *r = session_reading(s);
        assert_non_null(r);
        if (!(r->cell.weight > 0.2f)) {
            print_error("%s, scene %d: the weight is %.3f\n", story->name, scene,
                        (double)r->cell.weight);
            fail();
        }
    }
    arena_destroy(&arena);
}

static void test_stories__every_scene(void **state)
{
    (void)state;
    Session *s = session_on("tiny", "Some other text.");
    int n;
    const Story *stories = session_stories(s, &n);
    assert_true(n >= 7);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < stories[i].n_scenes; k++) {
            play_scene(s, &stories[i], k);
        }
    }
    does(s, "story nonsense");
    assert_true(strstr(s->note, "nonsense") != NULL);
    does(s, "story-end");
    assert_null(session_scene(s));
    session_destroy(&s);
}

/* Another text is asked for before the story's is there: what the scene shows is not in it. */
static void test_stories__overtaken(void **state)
{
    (void)state;
    Session *s = session_on("tiny", "Some other text.");
    session_post(s, "story 1-self-attention 1");
    session_post(s, "text a b");
    session_settle(s);
    session_settle(s);
    assert_string_equal(trace_source(s->trace, NULL), "a b");
    assert_false(s->story.waiting);
    assert_non_null(session_scene(s));
    assert_string_equal(s->note, "");
    does(s, "scene 1"); /* again, with its text */
    assert_string_equal(s->published.text_name, "default.txt");
    assert_int_equal(s->selection.query, 24);
    session_destroy(&s);
}

/* The learner does it, and it is seen. */
static void test_stories__trying(void **state)
{
    (void)state;
    Session *s = session_on("tiny", "Some other text.");
    does(s, "story 1-self-attention 1");
    assert_string_equal(s->published.text_name, "default.txt");
    assert_int_equal(s->selection.query, 24);
    assert_int_equal(s->selection.key, 6);
    does(s, "query +1");
    session_update(s, 0);
    assert_true(s->story.tried);
    does(s, "scene +1"); /* a new scene begins anew */
    assert_false(s->story.tried);
    assert_int_equal(s->view, VIEW_MATRIX);
    does(s, "scene 5");
    does(s, "temperature 2.5");
    session_update(s, 0);
    assert_true(s->story.tried);
    does(s, "scene -1"); /* runs the text again without it */
    assert_true(session_params(s).temperature == 0 || session_params(s).temperature == 1);
    session_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story_parse__whole),   cmocka_unit_test(test_story_parse__bad),
        cmocka_unit_test(test_stories__every_scene), cmocka_unit_test(test_stories__overtaken),
        cmocka_unit_test(test_stories__trying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
