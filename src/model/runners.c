#include "model/runners.h"

#include "base/file.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

typedef struct Found {
    Arena *arena;
    ARRAY_OF(RunnerModel) all;
    ARRAY_OF(const char *) walked; /* folders of .gguf files, without links */
} Found;

static bool add(Found *f, const char *name, const char *where, const char *path, Error *err)
{
    RunnerModel model = {name, where, path};
    return name && path && ARRAY_PUSH(&f->all, model, err);
}

/* $VARIABLE, or a place in the home folder; NULL when neither is there. */
static const char *place(Arena *arena, const char *variable, const char *in_home)
{
    const char *given = variable ? getenv(variable) : NULL;
    if (given && *given) {
        return given;
    }
    const char *home = getenv("HOME");
    return home && *home ? path_join(arena, home, in_home, NULL) : NULL;
}

/* ---- folders of .gguf files ---- */

/* Links may lead to one folder in many ways, or back to where they lie: one way is enough. */
static bool was_walked(const Found *f, const char *whole)
{
    for (size_t i = 0; i < f->walked.n; i++) {
        if (strcmp(f->walked.items[i], whole) == 0) {
            return true;
        }
    }
    return false;
}

/* Every .gguf below a folder, named by the way to it without the ending. */
static bool list_ggufs(Found *f, const char *folder, const char *prefix, const char *where,
                       Error *err)
{
    const char *whole = path_is_folder(folder) ? path_whole(f->arena, folder) : NULL;
    char **names;
    size_t n;
    Error ignored = {0};
    if (!whole || was_walked(f, whole)) {
        return true;
    }
    if (!ARRAY_PUSH(&f->walked, whole, err)) {
        return false;
    }
    if (!folder_list(f->arena, folder, &names, &n, &ignored)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(f->arena, folder, names[i], err);
        const char *name = *prefix ? path_join(f->arena, prefix, names[i], err) : names[i];
        if (!path || !name) {
            return false;
        }
        if (path_is_folder(path)) {
            if (!list_ggufs(f, path, name, where, err)) {
                return false;
            }
        } else if (path_has_suffix(path, ".gguf") && !strstr(names[i], "mmproj")) {
            size_t length = strlen(name) - strlen(".gguf");
            if (!add(f, arena_strndup(f->arena, name, length, err), where, path, err)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Ollama ---- */

/* "sha256:…" of the layer that holds the weights, as the file's name "sha256-…". */
static const char *weights_blob(Arena *arena, const char *manifest)
{
    Error ignored = {0};
    const char *name = NULL;
    cJSON *json = json_parse_file(manifest, &ignored);
    const cJSON *layer;
    cJSON_ArrayForEach(layer, json_get(json, "layers"))
    {
        const char *type = json_get_string(layer, "mediaType", "");
        const char *digest = json_get_string(layer, "digest", "");
        if (strcmp(type, "application/vnd.ollama.image.model") == 0 &&
            strncmp(digest, "sha256:", 7) == 0 && !strchr(digest, '/')) {
            name = arena_printf(arena, NULL, "sha256-%.128s", digest + 7);
        }
    }
    json_free(json);
    return name;
}

/* manifests/HOST/NAMESPACE/NAME/TAG: "NAME", with ":TAG" where it is not "latest", with
 * "NAMESPACE/" where it is not "library". */
static bool add_manifest(Found *f, const char *models, const char *path, const char *space,
                         const char *name, const char *tag, Error *err)
{
    const char *blob = weights_blob(f->arena, path);
    const char *blobs = blob ? path_join(f->arena, models, "blobs", err) : NULL;
    const char *file = blobs ? path_join(f->arena, blobs, blob, err) : NULL;
    if (!file || !path_exists(file)) {
        return true;
    }
    bool plain = strcmp(space, "library") == 0;
    bool latest = strcmp(tag, "latest") == 0;
    return add(f,
               arena_printf(f->arena, err, "%s%s%s%s%s", plain ? "" : space, plain ? "" : "/", name,
                            latest ? "" : ":", latest ? "" : tag),
               "Ollama", file, err);
}

static bool list_manifests(Found *f, const char *models, const char *folder,
                           const char *const *above, int depth, Error *err)
{
    char **names;
    size_t n;
    Error ignored = {0};
    if (!path_is_folder(folder) || !folder_list(f->arena, folder, &names, &n, &ignored)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        const char *path = path_join(f->arena, folder, names[i], err);
        const char *chain[] = {above[1], above[2], names[i]}; /* namespace, name, tag at last */
        if (!path) {
            return false;
        }
        bool ok = depth == 3 ? add_manifest(f, models, path, chain[0], chain[1], names[i], err)
                             : list_manifests(f, models, path, chain, depth + 1, err);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool list_ollama(Found *f, Error *err)
{
    static const char *const none[] = {"", "", ""};
    const char *models = place(f->arena, "OLLAMA_MODELS", ".ollama/models");
    const char *manifests = models ? path_join(f->arena, models, "manifests", err) : NULL;
    return !manifests || list_manifests(f, models, manifests, none, 0, err);
}

/* ---- all ---- */

bool runners_list(Arena *arena, RunnerModel **models, size_t *n, Error *err)
{
    static const struct {
        const char *variable, *in_home, *where;
    } folders[] = {
        {NULL, ".lmstudio/models", "LM Studio"},
        {NULL, ".cache/lm-studio/models", "LM Studio"},
        {"LLAMA_CACHE", ".cache/llama.cpp", "llama.cpp"},
        {NULL, ".local/share/nomic.ai/GPT4All", "GPT4All"},
    };
    Found f = {.arena = arena};
    bool ok = list_ollama(&f, err);
    for (size_t i = 0; ok && i < AS_COUNT(folders); i++) {
        const char *folder = place(arena, folders[i].variable, folders[i].in_home);
        ok = !folder || list_ggufs(&f, folder, "", folders[i].where, err);
    }
    *n = ok ? f.all.n : 0;
    *models = ok ? ARENA_ARRAY(arena, RunnerModel, f.all.n ? f.all.n : 1, err) : NULL;
    for (size_t i = 0; *models && i < f.all.n; i++) {
        (*models)[i] = f.all.items[i];
    }
    ARRAY_FREE(&f.all);
    ARRAY_FREE(&f.walked);
    return *models;
}

bool runners_find(const char *name, Arena *arena, RunnerModel *model, Error *err)
{
    RunnerModel *all;
    size_t n;
    *model = (RunnerModel){0};
    if (!runners_list(arena, &all, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        /* The file's own name will do too. */
        if (strcmp(all[i].name, name) == 0 || strcmp(path_base_name(all[i].name), name) == 0) {
            *model = all[i];
            return true;
        }
    }
    return true;
}
