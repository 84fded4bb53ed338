/* The open panel: paths complete themselves, texts are written and pasted, old ones come back. */
#include "base/file.h"
#include "views/internal.h"
#include "views_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *clipboard(void *payload)
{
    return payload;
}

static void pass(ViewsCase *c)
{
    views_case_pass(c, 1280, 720, 1);
    session_settle(c->session);
    views_case_pass(c, 1280, 720, 1);
}

static void type(ViewsCase *c, const char *text)
{
    for (; *text; text++) {
        UiEvent event = {.kind = UI_EVENT_TEXT, .key = (unsigned char)*text};
        assert_true(ui_feed(&c->ui, &event));
        pass(c);
    }
}

static void press(ViewsCase *c, uint32_t key, uint32_t mods)
{
    UiEvent event = {.kind = UI_EVENT_KEY, .key = key, .mods = mods};
    assert_true(ui_feed(&c->ui, &event));
    pass(c);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_all(path, text, strlen(text), &err), err);
}

static void test_open__completes(void **state)
{
    (void)state;
    char folder[] = "/tmp/attnscope-open-XXXXXX";
    char path[256];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "apple-one.txt", "one two three");
    write_file(folder, "apple-two.txt", "four five");
    write_file(folder, ".hidden", "x");
    snprintf(path, sizeof path, "%s/folder", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    views_case_do(&c, "open");
    pass(&c);
    OpenPanel *p = &c.views->open;
    snprintf(path, sizeof path, "%s/a", folder);
    type(&c, path);
    press(&c, KEY_TAB, 0); /* as far as both agree */
    snprintf(path, sizeof path, "%s/apple-", folder);
    assert_string_equal(p->path, path);
    assert_non_null(find_text(&c, "apple-one.txt"));
    assert_non_null(find_text(&c, "apple-two.txt"));
    assert_null(find_text(&c, ".hidden"));
    type(&c, "o");
    press(&c, KEY_TAB, 0);
    press(&c, KEY_ENTER, 0);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_string_equal(c.session->text_name, "apple-one.txt");
    /* It can be chosen again from what was shown before. */
    views_case_do(&c, "text something else");
    views_case_do(&c, "open");
    pass(&c);
    assert_non_null(find_text(&c, "apple-one.txt"));
    press(&c, KEY_ESC, 0);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    views_case_close(&c);
    static const char *const names[] = {"apple-one.txt", "apple-two.txt", ".hidden", "folder"};
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(remove(path), 0);
    }
    rmdir(folder);
}

static void test_open__paste(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    c.ui.clipboard = (UiClipboard){.get = clipboard, .payload = "pasted words\nin two lines"};
    views_case_do(&c, "paste");
    pass(&c);
    type(&c, "!");
    press(&c, KEY_ENTER, KEY_MOD_CTRL);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    size_t n;
    const char *text = trace_source(c.session->trace, &n);
    assert_int_equal(n, 26);
    assert_memory_equal(text, "pasted words\nin two lines!", 26);
    views_case_close(&c);
}

static void test_open__kinds(void **state)
{
    (void)state;
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    /* Without the panel a failure is a card of its own. */
    views_case_do(&c, "open /no/such/thing.gguf");
    assert_int_equal(c.session->error.code, ERR_IO);
    views_case_close(&c);
}

static void test_open__arrays(void **state)
{
    (void)state;
    /* Two heads of 2 x 2 weights, version 1.0 of the form. */
    static const float weights[] = {1, 0, 0.25f, 0.75f, 1, 0, 0.5f, 0.5f};
    char file[128 + sizeof weights];
    memset(file, ' ', 128);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    static const char head[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2, 2), }";
    memcpy(file + 10, head, sizeof head - 1);
    file[127] = '\n';
    memcpy(file + 128, weights, sizeof weights);
    char path[] = "/tmp/attnscope-open-XXXXXX.npy";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file, sizeof file), sizeof file);
    close(fd);
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    session_post(c.session, "open %s", path);
    session_settle(c.session);
    assert_int_equal(c.session->error.code, ERR_NONE);
    assert_int_equal(trace_info(c.session->trace)->n_queries, 2);
    assert_true(trace_info(c.session->trace)->weights_only);
    views_case_close(&c);
    unlink(path);
}

static void test_open__failure_keeps_what_was_typed(void **state)
{
    (void)state;
    char folder[] = "/tmp/attnscope-open-XXXXXX";
    char path[256];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "there.txt", "one two three four five");
    ViewsCase c;
    views_case_open(&c, "random:L=2,H=2,d=32,seed=5", "a few words");
    views_case_do(&c, "open");
    pass(&c);
    snprintf(path, sizeof path, "%s/there.tx", folder);
    type(&c, path);
    press(&c, KEY_ENTER, 0);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_OPEN);
    assert_string_equal(c.views->open.path, path);
    assert_true(says(&c, "there.tx"));
    assert_int_equal(c.session->open_error.code, ERR_IO);
    assert_int_equal(c.session->error.code, ERR_NONE); /* what was shown stays */
    assert_int_equal(trace_info(c.session->trace)->n_queries, 3);
    type(&c, "t"); /* the field has the keyboard again, its cursor at the end */
    press(&c, KEY_ENTER, 0);
    pass(&c);
    assert_int_equal(c.session->panel, PANEL_NONE);
    assert_string_equal(c.session->text_name, "there.txt");
    views_case_close(&c);
    snprintf(path, sizeof path, "%s/there.txt", folder);
    assert_int_equal(remove(path), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__completes),
        cmocka_unit_test(test_open__paste),
        cmocka_unit_test(test_open__kinds),
        cmocka_unit_test(test_open__arrays),
        cmocka_unit_test(test_open__failure_keeps_what_was_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
