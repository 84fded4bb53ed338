#include "testing.h"

#include "base/arena.h"
#include "base/embedded.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_error_set__one_line_and_whole_utf8(void **state)
{
    (void)state;
    Error err = {0};
    char longest[2000];
    for (size_t i = 0; i + 2 < sizeof longest; i += 3) {
        memcpy(longest + i, "\xE2\x82\xAC", 3);
    }
    longest[sizeof longest - 2] = 0;
    assert_false(error_set(&err, ERR_IO, "a\nb\x1b%s", longest));
    assert_int_equal(err.code, ERR_IO);
    assert_null(strpbrk(err.message, "\n\x1b"));
    assert_int_equal(utf8_count_invalid(err.message, strlen(err.message)), 0);
    assert_true(strlen(err.message) > sizeof err.message - 8);
    assert_false(error_wrap(&err, "model %s", "x"));
    assert_memory_equal(err.message, "model x: a b ", 13);
    assert_int_equal(error_exit_status(ERR_USAGE), 2);
    assert_int_equal(error_exit_status(ERR_FORMAT), 1);
}

static void keep_line(void *payload, LogLevel level, const char *line)
{
    (void)level;
    snprintf(payload, 1100, "%s", line);
}

/* Names come from files: none may end a line early or command the terminal. */
static void test_text_make_line__errors_and_notes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } rows[] = {{"plain caf\xC3\xA9", "plain caf\xC3\xA9"},
                {"a\r\n\x1b[2J\x7f", "a   [2J "},
                {"csi \xC2\x9B 31m", "csi    31m"},
                {"\xE2\x80\xA8|\xEF\xBF\xBD", "   |\xEF\xBF\xBD"},
                {"cut \xE4\xBD", "cut "},
                {"stray \x80 x", "stray \x80 x"},
                {"", ""}};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        Error err = {0};
        char note[1100] = "";
        error_set(&err, ERR_IO, "%s", rows[i].text);
        assert_string_equal(err.message, rows[i].line);
        log_write(&(Log){.write = keep_line, .payload = note}, LOG_INFO, "%s", rows[i].text);
        assert_string_equal(note, rows[i].line);
    }
}

static void test_arena_alloc__aligned_zeroed_and_checked(void **state)
{
    (void)state;
    Arena arena = {0};
    Error err = {0};
    for (size_t n = 0; n < 300000; n = n * 3 + 1) {
        unsigned char *p = arena_alloc(&arena, n, &err);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(p[i], 0);
        }
        memset(p, 0x5A, n);
    }
    assert_null(arena_alloc_array(&arena, SIZE_MAX / 4, 8, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_null(arena_alloc(&arena, SIZE_MAX - 8, &err));
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    unsigned char *again = arena_alloc(&arena, 1000, &err);
    assert_int_equal(again[999], 0);
    arena_destroy(&arena);
    assert_null(arena.head);
}

static void test_utf8_decode__maximal_subparts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n_invalid;
    } cases[] = {
        {"plain", 0},
        {"\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x99\x82", 0},
        {"\xEF\xBF\xBD", 0},     /* a genuine U+FFFD */
        {"\x80", 1},             /* stray continuation */
        {"\xC0\xAF", 2},         /* overlong */
        {"\xE0\x80\x80", 3},     /* overlong */
        {"\xED\xA0\x80", 3},     /* surrogate */
        {"\xF4\x90\x80\x80", 4}, /* past U+10FFFF */
        {"\xE4\xBD", 1},         /* truncated */
        {"\xF0\x9F\x99 x", 1},   /* truncated, then text */
        {"\xFF\xFE", 2},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        assert_int_equal(utf8_count_invalid(cases[i].bytes, strlen(cases[i].bytes)),
                         cases[i].n_invalid);
    }
    Arena arena = {0};
    Error err = {0};
    size_t n = 0;
    size_t replaced = 0;
    char *fixed = utf8_repair(&arena, "a\xF0\x9F\x99 b\xFF", 7, &n, &replaced, &err);
    assert_string_equal(fixed, "a\xEF\xBF\xBD b\xEF\xBF\xBD");
    assert_int_equal(replaced, 2);
    assert_int_equal(n, strlen(fixed));
    for (uint32_t c = 1; c < 0x110000; c += 17) {
        if (c >= 0xD800 && c < 0xE000) {
            continue;
        }
        char bytes[4];
        uint32_t back = 0;
        size_t used = utf8_encode(c, bytes);
        assert_int_equal(utf8_decode(bytes, used, &back), used);
        assert_int_equal(back, c);
    }
    arena_destroy(&arena);
}

static void test_strbuf_json_string__parses_back(void **state)
{
    (void)state;
    const char *text = "quote \" slash \\ tab\t line\n bell\x07 \x7f \xE4\xBD\xA0";
    StrBuf buf = {0};
    Error err = {0};
    assert_ok(strbuf_json_string(&buf, text, strlen(text), &err), err);
    cJSON *json = json_parse(buf.text, buf.n, "test", &err);
    assert_ok(json != NULL, err);
    assert_string_equal(json->valuestring, text);
    json_free(json);
    strbuf_free(&buf);
}

static void test_json_parse__bad_input_is_an_error(void **state)
{
    (void)state;
    char deep[5000];
    memset(deep, '[', sizeof deep);
    const struct {
        const char *text;
        size_t n;
    } cases[] = {{"", 0}, {"{", 1}, {"{} x", 4}, {"{\"a\":}", 6}, {deep, sizeof deep}};
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        assert_null(json_parse(cases[i].text, cases[i].n, "bad.json", &err));
        assert_int_equal(err.code, ERR_FORMAT);
        assert_non_null(strstr(err.message, "bad.json"));
    }
}

static void test_json_get_int__range_and_kind(void **state)
{
    (void)state;
    const char *text = "{\"a\": 3, \"b\": 2.5, \"c\": \"x\", \"d\": null, \"e\": 1e99, "
                       "\"f\": 9223372036854775808}";
    Error err = {0};
    cJSON *json = json_parse(text, strlen(text), "t", &err);
    assert_ok(json != NULL, err);
    int64_t v = 0;
    assert_ok(json_get_int(json, "a", 0, 10, 7, &v, "t", &err), err);
    assert_int_equal(v, 3);
    assert_ok(json_get_int(json, "d", 0, 10, 7, &v, "t", &err), err);
    assert_int_equal(v, 7);
    assert_false(json_get_int(json, "a", 4, 10, 7, &v, "t", &err));
    assert_false(json_get_int(json, "b", 0, 10, 7, &v, "t", &err));
    assert_false(json_get_int(json, "c", 0, 10, 7, &v, "t", &err));
    assert_false(json_get_int(json, "e", 0, 10, 7, &v, "t", &err));
    assert_false(json_get_int(json, "f", 0, INT64_MAX, 7, &v, "t", &err));
    json_free(json);
}

static void test_parse_bytes__units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"4096", 4096},         {"8G", 8ull << 30}, {"512M", 512ull << 20},
                {"1.5GiB", 3ull << 29}, {"2k", 2048},       {"7B", 7}};
    uint64_t bytes = 0;
    for (size_t i = 0; i < AS_COUNT(good); i++) {
        assert_true(parse_bytes(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    static const char *const bad[] = {"", "G", "8Q", "-1", "8GG", "nan", "1e400", "5iB"};
    for (size_t i = 0; i < AS_COUNT(bad); i++) {
        assert_false(parse_bytes(bad[i], &bytes));
    }
    char out[32];
    assert_string_equal(format_count(70778880, out), "70,778,880");
    assert_string_equal(format_count(5, out), "5");
    assert_string_equal(format_bytes(270ull << 20, out), "270 MiB");
}

static void test_file_write_all__whole_or_not_at_all(void **state)
{
    (void)state;
    char folder[] = "/tmp/attnscope-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    Arena arena = {0};
    Error err = {0};
    char *path = path_join(&arena, folder, "x.bin", &err);
    assert_ok(file_write_all(path, "old", 3, &err), err);
    AtomicFile f;
    assert_ok(atomic_file_open(&f, path, &err), err);
    assert_ok(atomic_file_write(&f, "new and longer", 14, &err), err);
    atomic_file_abort(&f);
    size_t n = 0;
    assert_string_equal(file_read_all(&arena, path, 100, &n, &err), "old");
    char **names = NULL;
    size_t n_names = 0;
    assert_ok(folder_list(&arena, folder, &names, &n_names, &err), err);
    assert_int_equal(n_names, 1); /* no temporary is left */
    assert_null(file_read_all(&arena, path, 2, &n, &err));
    assert_int_equal(err.code, ERR_RANGE);
    FileMap map;
    assert_false(file_map_open(&map, folder, &err));
    assert_false(file_map_open(&map, "/nonexistent/x", &err));
    assert_non_null(strstr(err.message, "/nonexistent/x"));
    assert_false(file_write_all("/nonexistent/x", "a", 1, &err));
    assert_false(file_write_all(folder, "a", 1, &err));
    unlink(path);
    rmdir(folder);
    arena_destroy(&arena);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return (unsigned)st.st_mode;
}

static void test_file_write_all__links_pipes_and_permissions(void **state)
{
    (void)state;
    char folder[] = "/tmp/attnscope-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    Arena arena = {0};
    Error err = {0};
    size_t n = 0;
    char *path = path_join(&arena, folder, "x.bin", &err);
    char *link = path_join(&arena, folder, "link", &err);
    char *pipe = path_join(&arena, folder, "pipe", &err);
    char base[251];
    memset(base, 'n', 250);
    base[250] = 0;
    char *longest = path_join(&arena, folder, base, &err);
    mode_t mask = umask(027);
    assert_ok(file_write_all(path, "old", 3, &err), err);
    umask(mask);
    assert_int_equal(mode_of(path) & 0777, 0640);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(symlink("x.bin", link), 0);
    assert_ok(file_write_all(link, "through", 7, &err), err);
    assert_true(S_ISLNK(mode_of(link)));
    assert_int_equal(mode_of(path) & 0777, 0604);
    assert_string_equal(file_read_all(&arena, path, 100, &n, &err), "through");
    unlink(path);
    assert_false(file_write_all(link, "nowhere", 7, &err));
    assert_int_equal(err.code, ERR_IO);
    unlink(link);
    assert_ok(file_write_all(longest, "x", 1, &err), err);
    unlink(longest);

    assert_int_equal(mkfifo(pipe, 0600), 0);
    alarm(60); /* a wait for the pipe's other end would be for ever */
    FileMap map;
    assert_false(file_map_open(&map, pipe, &err));
    int reader = open(pipe, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_ok(file_write_all(pipe, "abc", 3, &err), err);
    alarm(0);
    char got[8] = {0};
    assert_int_equal(read(reader, got, sizeof got), 3);
    assert_string_equal(got, "abc");
    assert_true(S_ISFIFO(mode_of(pipe)));
    close(reader);
    unlink(pipe);

    /* What a shell's >(command) is: a link to a pipe that has no name. */
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char unnamed[32];
    snprintf(unnamed, sizeof unnamed, "/dev/fd/%d", ends[1]);
    assert_ok(file_write_all(unnamed, "def", 3, &err), err);
    assert_int_equal(read(ends[0], got, sizeof got), 3);
    assert_string_equal(got, "def");
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left in it */
    arena_destroy(&arena);
}

static void test_atomic_file_commit__full_disk(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(file_write_all("/dev/full", "x", 1, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/dev/full: No space left"));
}

typedef struct Work {
    int steps;
    bool ok;
    bool done;
    ErrorCode code;
} Work;

static bool count_steps(void *payload, JobControl *control, Error *err)
{
    Work *work = payload;
    atomic_store(&control->total_units, 3);
    for (; work->steps < 1000; work->steps++) {
        atomic_store(&control->done_units, (uint64_t)work->steps);
        if (atomic_load(&control->cancel)) {
            return error_set(err, ERR_CANCELLED, "stopped");
        }
        usleep(500);
        if (work->steps == 3 && work->ok) {
            return true;
        }
    }
    return error_set(err, ERR_INTERNAL, "was not stopped");
}

static void note_done(void *payload, bool ok, const Error *err)
{
    Work *work = payload;
    work->ok = ok;
    work->code = err->code;
    work->done = true;
}

static void test_jobs_submit__runs_in_order_and_cancels(void **state)
{
    (void)state;
    Error err = {0};
    Jobs *jobs = jobs_create(NULL, &err);
    assert_ok(jobs != NULL, err);
    Work first = {.ok = true};
    Work second = {0};
    Work third = {.ok = true};
    JobDesc desc = {.title = "work", .run = count_steps, .done = note_done};
    desc.payload = &first;
    assert_true(jobs_submit(jobs, &desc, &err) > 0);
    desc.payload = &second;
    uint64_t id = jobs_submit(jobs, &desc, &err);
    desc.payload = &third;
    assert_true(jobs_submit(jobs, &desc, &err) > id);
    assert_true(jobs_status(jobs).id > 0);
    jobs_cancel(jobs, id);
    jobs_wait_all(jobs);
    assert_true(first.done && first.ok);
    assert_true(second.done && !second.ok);
    assert_int_equal(second.code, ERR_CANCELLED);
    assert_true(third.done && third.ok);
    assert_int_equal(jobs_status(jobs).id, 0);
    Work dropped = {0};
    desc.payload = &dropped;
    assert_true(jobs_submit(jobs, &desc, &err) > 0);
    jobs_destroy(jobs);
    assert_true(dropped.done && !dropped.ok);
}

/* A short piece of work does not wait behind a long one. */
static void test_jobs_submit__lanes(void **state)
{
    (void)state;
    Error err = {0};
    Jobs *jobs = jobs_create(NULL, &err);
    assert_ok(jobs != NULL, err);
    Work forever = {0}; /* until it is cancelled */
    Work quick = {.ok = true};
    JobDesc desc = {.title = "long", .run = count_steps, .done = note_done, .payload = &forever};
    uint64_t id = jobs_submit(jobs, &desc, &err);
    assert_true(id > 0);
    desc.lane = JOB_SHORT;
    desc.title = "short";
    desc.payload = &quick;
    assert_true(jobs_submit(jobs, &desc, &err) > 0);
    for (int i = 0; i < 5000 && !quick.done; i++) {
        jobs_poll(jobs);
        usleep(100);
    }
    assert_true(quick.done && quick.ok);
    assert_false(forever.done);
    assert_string_equal(jobs_status(jobs).title, "long");
    jobs_cancel(jobs, id);
    jobs_wait_all(jobs);
    assert_int_equal(forever.code, ERR_CANCELLED);
    jobs_destroy(jobs);
}

static void count_wakes(void *payload)
{
    atomic_fetch_add((atomic_int *)payload, 1);
}

/* Also for what was cancelled before it ran: an event loop has to hear of its end. */
static void test_jobs_create__wakes_once_a_job(void **state)
{
    (void)state;
    Error err = {0};
    atomic_int wakes = 0;
    Jobs *jobs = jobs_create(&(JobsDesc){.wake = count_wakes, .wake_payload = &wakes}, &err);
    assert_ok(jobs != NULL, err);
    Work work[3] = {{.ok = true}, {0}, {.ok = true}};
    for (int i = 0; i < 3; i++) {
        JobDesc desc = {.title = "work",
                        .run = count_steps,
                        .done = note_done,
                        .payload = &work[i],
                        .lane = i == 2 ? JOB_SHORT : JOB_LONG};
        uint64_t id = jobs_submit(jobs, &desc, &err);
        assert_true(id > 0);
        if (i == 1) {
            jobs_cancel(jobs, id);
        }
    }
    jobs_wait_all(jobs);
    jobs_destroy(jobs); /* joins: the last wake comes after its job is seen as finished */
    assert_true(work[0].done && work[1].done && work[2].done);
    assert_int_equal(atomic_load(&wakes), 3);
}

typedef struct Again {
    Jobs *jobs;
    uint64_t id;
    ErrorCode code;
} Again;

static bool wait_for_cancel(void *payload, JobControl *control, Error *err)
{
    (void)payload;
    while (!atomic_load(&control->cancel)) {
        usleep(500);
    }
    return error_set(err, ERR_CANCELLED, "stopped");
}

static void submit_again(void *payload, bool ok, const Error *err)
{
    (void)ok;
    (void)err;
    Again *again = payload;
    Error refused = {0};
    again->id = jobs_submit(again->jobs,
                            &(JobDesc){.title = "again", .run = wait_for_cancel, .payload = again},
                            &refused);
    again->code = refused.code;
}

static void test_jobs_destroy__takes_no_more_work(void **state)
{
    (void)state;
    Error err = {0};
    Again again = {.jobs = jobs_create(NULL, &err), .id = 1};
    assert_ok(again.jobs != NULL, err);
    JobDesc desc = {
        .title = "work", .run = wait_for_cancel, .done = submit_again, .payload = &again};
    assert_true(jobs_submit(again.jobs, &desc, &err) > 0);
    jobs_destroy(again.jobs);
    assert_int_equal(again.id, 0);
    assert_int_equal(again.code, ERR_CANCELLED);
}

static void test_random_normal__moments_and_determinism(void **state)
{
    (void)state;
    Random a = {.state = 1};
    Random b = {.state = 1};
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < 20000; i++) {
        double x = random_normal(&a);
        assert_true(x == random_normal(&b));
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 20000) < 0.03);
    assert_true(fabs(squares / 20000 - 1) < 0.05);
}

static void test_embedded_find__names(void **state)
{
    (void)state;
    EmbeddedFile file;
    assert_false(embedded_find("no/such/file", &file));
    assert_true(embedded_find("models/tiny/config.json", &file));
    assert_int_equal(file.data[0], '{');
    assert_int_equal(file.data[file.n_bytes], 0);
    assert_true(embedded_next("models/tiny/", 0, &file));
    assert_false(embedded_next("models/tiny/", 1000, &file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_set__one_line_and_whole_utf8),
        cmocka_unit_test(test_text_make_line__errors_and_notes),
        cmocka_unit_test(test_arena_alloc__aligned_zeroed_and_checked),
        cmocka_unit_test(test_utf8_decode__maximal_subparts),
        cmocka_unit_test(test_strbuf_json_string__parses_back),
        cmocka_unit_test(test_json_parse__bad_input_is_an_error),
        cmocka_unit_test(test_json_get_int__range_and_kind),
        cmocka_unit_test(test_parse_bytes__units),
        cmocka_unit_test(test_file_write_all__whole_or_not_at_all),
        cmocka_unit_test(test_file_write_all__links_pipes_and_permissions),
        cmocka_unit_test(test_atomic_file_commit__full_disk),
        cmocka_unit_test(test_jobs_submit__runs_in_order_and_cancels),
        cmocka_unit_test(test_jobs_submit__lanes),
        cmocka_unit_test(test_jobs_create__wakes_once_a_job),
        cmocka_unit_test(test_jobs_destroy__takes_no_more_work),
        cmocka_unit_test(test_random_normal__moments_and_determinism),
        cmocka_unit_test(test_embedded_find__names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
