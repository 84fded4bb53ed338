/* What a run needs, where its record goes, and when it is refused. */
#include "helpers.h"

#include "base/file.h"
#include "trace/internal.h"

#include <stdlib.h>
#include <unistd.h>

static void keep_line(void *payload, LogLevel level, const char *line)
{
    (void)level;
    snprintf(payload, 512, "%s", line);
}

static void test_trace_estimate__is_what_is_held(void **state)
{
    (void)state;
    static const TraceParams params[] = {
        {0}, {.store = TRACE_STORE_QKV}, {.store = TRACE_STORE_QK}, {.dtype = TRACE_F16}};
    static TraceToken tokens[MAX_TOKENS];
    Model *model = open_model(SMALL_MODEL);
    uint64_t before = UINT64_MAX;
    for (size_t i = 0; i < AS_COUNT(params); i++) {
        Error err = {0};
        TraceEstimate estimate;
        TraceDesc desc = make_desc(model, 300, tokens);
        desc.params = params[i];
        assert_ok(trace_estimate(&desc, &estimate, &err), err);
        Trace *trace = run(&desc);
        assert_true(trace_info(trace)->held_bytes == estimate.record_bytes);
        assert_false(trace_info(trace)->spilled || estimate.spills);
        trace_close(trace);
        /* each of the first three holds less than the one before */
        assert_true(i == 3 || estimate.record_bytes < before);
        before = estimate.record_bytes;
    }
    model_close(&model);
}

static void test_trace_estimate__grows_linearly(void **state)
{
    (void)state;
    static TraceToken tokens[MAX_TOKENS];
    Model *model = open_model(SMALL_MODEL);
    uint64_t bytes[2];
    for (int i = 0; i < 2; i++) {
        Error err = {0};
        TraceEstimate estimate;
        TraceDesc desc = make_desc(model, i ? 2048 : 1024, tokens);
        assert_ok(trace_estimate(&desc, &estimate, &err), err);
        bytes[i] = estimate.record_bytes;
    }
    assert_true((double)bytes[1] < 2.1 * (double)bytes[0]);
    model_close(&model);
}

static void test_trace_create__spills_past_the_limit(void **state)
{
    (void)state;
    static TraceToken tokens[MAX_TOKENS];
    Model *model = open_model(SMALL_MODEL);
    Error err = {0};
    char line[512] = "";
    Log log = {keep_line, line};
    TraceEstimate estimate;
    TraceDesc desc = make_desc(model, 2000, tokens);
    Trace *held = run(&desc);
    assert_ok(trace_estimate(&desc, &estimate, &err), err);
    /* room for the pass and one layer, not for the record */
    desc.params.memory_bytes = estimate.work_bytes + estimate.record_bytes / 2;
    desc.params.spill_folder = "/var/tmp";
    desc.log = &log;
    Trace *spilled = run(&desc);
    assert_true(trace_info(spilled)->spilled);
    assert_non_null(strstr(line, "/var/tmp"));
    assert_same_traces(held, spilled);
    trace_close(held);
    trace_close(spilled);
    model_close(&model);
}

static void test_trace_create__refuses_what_fits_nowhere(void **state)
{
    (void)state;
    static TraceToken tokens[MAX_TOKENS];
    Model *model = open_model(SMALL_MODEL);
    Error err = {0};
    TraceDesc desc = make_desc(model, 2000, tokens);
    desc.params.memory_bytes = 1 << 20;
    assert_null(trace_create(&desc, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_non_null(strstr(err.message, "MiB of memory may be used"));
    assert_non_null(strstr(err.message, "--max-tokens"));
    TraceEstimate estimate;
    assert_ok(trace_estimate(&desc, &estimate, &err), err);
    desc.params.memory_bytes = estimate.work_bytes + estimate.record_bytes / 2;
    desc.params.spill_folder = "/proc"; /* no room at all */
    assert_null(trace_create(&desc, &err));
    assert_true(err.code == ERR_MEMORY || err.code == ERR_IO);
    assert_non_null(strstr(err.message, "/proc"));
    model_close(&model);
}

static void test_trace_create__wrong_parameters(void **state)
{
    (void)state;
    static TraceToken tokens[MAX_TOKENS];
    Model *model = open_model(SMALL_MODEL);
    static const TraceHead no_such[] = {{7, 0}};
    static const struct {
        TraceParams params;
        const char *error;
    } cases[] = {
        {{.temperature = -1}, "temperature"},
        {{.temperature = INFINITY}, "temperature"},
        {{.summary_size = 8}, "summary"},
        {{.summary_size = 5000}, "summary"},
        {{.ablate = no_such, .n_ablate = 1}, "layers 0 to 2"},
        {{.threads = 9999}, "thread"},
    };
    for (size_t i = 0; i < AS_COUNT(cases); i++) {
        Error err = {0};
        TraceDesc desc = make_desc(model, 10, tokens);
        desc.params = cases[i].params;
        assert_null(trace_create(&desc, &err));
        assert_int_equal(err.code, ERR_RANGE);
        assert_non_null(strstr(err.message, cases[i].error));
    }
    Error err = {0};
    TraceDesc none = make_desc(model, 0, tokens);
    assert_null(trace_create(&none, &err));
    assert_int_equal(err.code, ERR_RANGE);
    TraceDesc bad_id = make_desc(model, 10, tokens);
    tokens[5].id = 97; /* V */
    assert_null(trace_run(&bad_id, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    model_close(&model);
}

static void test_trace_layout_make__sizes_that_overflow(void **state)
{
    (void)state;
    TraceInfo info = {
        .n_layers = 1 << 16,
        .n_heads = 1 << 16,
        .n_kv_heads = 1 << 16,
        .n_queries = 1 << 24,
        .n_keys = 1 << 24,
        .head_dim = 256,
        .model_dim = 1 << 24,
        .has_values = true,
        .has_hidden = true,
        .params.summary_size = 1024,
    };
    TraceLayout layout;
    Error err = {0};
    assert_false(trace_layout_make(&info, false, false, &layout, &err));
    assert_int_equal(err.code, ERR_MEMORY);
}

static void test_spill_open__bad_folder(void **state)
{
    (void)state;
    Spill spill;
    Error err = {0};
    assert_false(spill_open(&spill, "/nonexistent", 4096, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/nonexistent"));
    spill_close(&spill);
    assert_true(spill_disk_free("/nonexistent") == 0);
    assert_true(spill_disk_free("/tmp") > 0);
    assert_true(memory_available_bytes() > 0);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    Error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write_all(path, text, strlen(text), &err), err);
}

static void test_memory_group_bytes__cached_files_are_free(void **state)
{
    (void)state;
    char folder[] = "/tmp/attnscope-test-XXXXXX";
    static const char *const names[] = {"memory.max", "memory.current", "memory.stat"};
    assert_non_null(mkdtemp(folder));
    assert_true(memory_group_bytes(folder, 5000) == 5000);
    write_file(folder, "memory.max", "max\n");
    write_file(folder, "memory.current", "900\n");
    assert_true(memory_group_bytes(folder, 5000) == 5000);
    write_file(folder, "memory.max", "1000\n");
    assert_true(memory_group_bytes(folder, 5000) == 100);
    assert_true(memory_group_bytes(folder, 50) == 50);
    write_file(folder, "memory.stat",
               "anon 200\nfile 700\ninactive_file 600\nactive_file 80\nslab 3\n");
    assert_true(memory_group_bytes(folder, 5000) == 780);
    write_file(folder, "memory.current", "2000\n");
    assert_true(memory_group_bytes(folder, 5000) == 0);
    for (size_t i = 0; i < AS_COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_estimate__is_what_is_held),
        cmocka_unit_test(test_trace_estimate__grows_linearly),
        cmocka_unit_test(test_trace_create__spills_past_the_limit),
        cmocka_unit_test(test_trace_create__refuses_what_fits_nowhere),
        cmocka_unit_test(test_trace_create__wrong_parameters),
        cmocka_unit_test(test_trace_layout_make__sizes_that_overflow),
        cmocka_unit_test(test_spill_open__bad_folder),
        cmocka_unit_test(test_memory_group_bytes__cached_files_are_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
