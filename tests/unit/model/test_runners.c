/* GGUF files of local runners, found by the names those give them. */
#include "testing.h"

#include "model/runners.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[64];

static void make_folders(const char *path)
{
    char part[512];
    for (const char *c = strchr(path + 1, '/'); c; c = strchr(c + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(c - path), path);
        (void)mkdir(part, 0700);
    }
}

static void put_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", home, name);
    make_folders(path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_home(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/attnscope-runners-XXXXXX");
    if (!mkdtemp(home)) {
        return -1;
    }
    setenv("HOME", home, 1);
    unsetenv("OLLAMA_MODELS");
    unsetenv("LLAMA_CACHE");
    return 0;
}

static int remove_home(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf -- '%s'", home);
    return system(command);
}

#define MANIFEST(digest)                                                                           \
    "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.license\",\"digest\":\"sha256:"    \
    "ff\"},{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"" digest "\"}]}"

static void test_runners_find__names(void **state)
{
    (void)state;
    static const char manifests[] = ".ollama/models/manifests/registry/library/little/";
    char path[256];
    put_file(".ollama/models/blobs/sha256-aa", "x");
    put_file(".ollama/models/blobs/sha256-bb", "x");
    snprintf(path, sizeof path, "%slatest", manifests);
    put_file(path, MANIFEST("sha256:aa"));
    snprintf(path, sizeof path, "%s1b", manifests);
    put_file(path, MANIFEST("sha256:bb"));
    snprintf(path, sizeof path, "%sgone", manifests);
    put_file(path, MANIFEST("sha256:cc")); /* its file is not there */
    snprintf(path, sizeof path, "%sbroken", manifests);
    put_file(path, "{\"layers\": 3");
    snprintf(path, sizeof path, "%shostile", manifests);
    put_file(path, MANIFEST("sha256:../../../etc/passwd"));
    put_file(".ollama/models/manifests/registry/someone/other/latest", MANIFEST("sha256:aa"));
    put_file(".lmstudio/models/maker/repo/small-Q4.gguf", "x");
    put_file(".lmstudio/models/maker/repo/mmproj-small.gguf", "x"); /* no language model */
    put_file(".cache/llama.cpp/cached.gguf", "x");
    put_file(".lmstudio/models/a/b/c/d/e/f/g/deep.gguf", "x");
    char round[128]; /* a link to a folder that it lies in */
    snprintf(round, sizeof round, "%s/.lmstudio/models/a/b/round", home);
    char above[128];
    snprintf(above, sizeof above, "%s/.lmstudio/models", home);
    assert_int_equal(symlink(above, round), 0);
    static const struct {
        const char *name, *where, *ends;
    } rows[] = {{"little", "Ollama", "sha256-aa"},
                {"little:1b", "Ollama", "sha256-bb"},
                {"someone/other", "Ollama", "sha256-aa"},
                {"maker/repo/small-Q4", "LM Studio", "small-Q4.gguf"},
                {"small-Q4", "LM Studio", "small-Q4.gguf"},
                {"a/b/c/d/e/f/g/deep", "LM Studio", "deep.gguf"},
                {"cached", "llama.cpp", "cached.gguf"},
                {"little:gone", NULL, NULL},
                {"little:broken", NULL, NULL},
                {"little:hostile", NULL, NULL},
                {"mmproj-small", NULL, NULL}};
    Arena arena = {0};
    Error err = {0};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        RunnerModel model;
        assert_ok(runners_find(rows[i].name, &arena, &model, &err), err);
        if (!rows[i].where) {
            assert_null(model.path);
            continue;
        }
        if (!model.path || strcmp(model.where, rows[i].where) != 0 ||
            !strstr(model.path, rows[i].ends)) {
            print_error("%s: %s\n", rows[i].name, model.path ? model.path : "not found");
            fail();
        }
    }
    RunnerModel *all;
    size_t n;
    assert_ok(runners_list(&arena, &all, &n, &err), err);
    assert_int_equal(n, 6);
    arena_destroy(&arena);
}

/* Folders that all link to each other could be walked in as many ways as they can be ordered. */
static void test_runners_list__folders_that_link_to_each_other(void **state)
{
    (void)state;
    enum { N = 6 };
    char name[128];
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, ".cache/llama.cpp/%d/knot%d.gguf", i, i);
        put_file(name, "x");
        for (int k = 0; k < N; k++) {
            char link[128];
            snprintf(link, sizeof link, "%s/.cache/llama.cpp/%d/to%d", home, i, k);
            snprintf(name, sizeof name, "%s/.cache/llama.cpp/%d", home, k);
            assert_int_equal(symlink(name, link), 0);
        }
    }
    Arena arena = {0};
    Error err = {0};
    RunnerModel *all;
    size_t n;
    int n_found = 0;
    assert_ok(runners_list(&arena, &all, &n, &err), err);
    for (size_t i = 0; i < n; i++) {
        n_found += strstr(all[i].name, "knot") != NULL;
    }
    assert_int_equal(n_found, N);
    arena_destroy(&arena);
}

static void test_runners_list__none(void **state)
{
    (void)state;
    Arena arena = {0};
    RunnerModel *all;
    size_t n;
    setenv("HOME", "/nonexistent", 1);
    assert_true(runners_list(&arena, &all, &n, NULL));
    assert_int_equal(n, 0);
    setenv("HOME", home, 1);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runners_find__names),
        cmocka_unit_test(test_runners_list__folders_that_link_to_each_other),
        cmocka_unit_test(test_runners_list__none),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
