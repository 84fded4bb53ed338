#include "formats/tensor_file.h"

#include "base/json.h"
#include "formats/tensor_file_internal.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

QuotedName quote_name(const char *text, size_t n)
{
    QuotedName quoted;
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        uint32_t c;
        size_t used = utf8_decode(text + i, n - i, &c);
        if (at + used > 60) {
            memcpy(quoted.text + at, "...", 3);
            at += 3;
            break;
        }
        if (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0) || c == 0xFFFD || c == 0x2028 ||
            c == 0x2029) {
            quoted.text[at++] = '?';
        } else {
            memcpy(quoted.text + at, text + i, used);
            at += used;
        }
        i += used;
    }
    quoted.text[at] = 0;
    return quoted;
}

char *tensor_shape_text(int32_t n_dims, const int64_t *shape, char out[128])
{
    size_t at = 0;
    out[at++] = '[';
    for (int32_t i = 0; i < n_dims && at < 100; i++) {
        at += (size_t)snprintf(out + at, 128 - at, "%s%lld", i ? ", " : "", (long long)shape[i]);
    }
    memcpy(out + at, "]", 2);
    return out;
}

bool tensor_view_measure(TensorView *view, const char *name, Error *err)
{
    QuotedName tensor = quote_name(view->name, strlen(view->name));
    const DTypeInfo *info = dtype_info(view->dtype);
    char shape[128];
    tensor_shape_text(view->n_dims, view->shape, shape);
    int64_t row = view->n_dims ? view->shape[view->n_dims - 1] : 1;
    if (row % info->block_elements != 0) {
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" has shape %s, but rows of %s come in blocks of %d",
                         name, tensor.text, shape, info->name, (int)info->block_elements);
    }
    size_t n = 1;
    bool fits = true;
    for (int32_t i = 0; i < view->n_dims && fits; i++) {
        fits = checked_mul(n, (size_t)view->shape[i], &n);
    }
    if (!fits || !dtype_bytes(view->dtype, n, &view->n_bytes) || n > (size_t)INT64_MAX ||
        view->n_bytes > (size_t)INT64_MAX) {
        return error_set(err, ERR_FORMAT,
                         "%s: tensor \"%s\" has shape %s, more than 2^63 elements or bytes: the "
                         "header is damaged, fetch the file again",
                         name, tensor.text, shape);
    }
    view->n_elements = n;
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const TensorView *x = *(const TensorView *const *)a;
    const TensorView *y = *(const TensorView *const *)b;
    uintptr_t p = (uintptr_t)x->data;
    uintptr_t q = (uintptr_t)y->data;
    return p != q ? (p < q ? -1 : 1) : (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

bool tensor_file_check_layout(TensorFile *file, const char *name, size_t first,
                              const unsigned char *data, size_t n_bytes, bool without_holes,
                              Error *err)
{
    size_t n = file->tensors.n - first;
    const TensorView **order = mem_alloc_zeroed(n, sizeof(TensorView *), err);
    if (!order) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = &file->tensors.items[first + i];
    }
    qsort((void *)order, n, sizeof *order, compare_places);
    bool ok = true;
    size_t end = 0;
    for (size_t i = 0; i < n && ok; i++) {
        size_t start = (size_t)((const unsigned char *)order[i]->data - data);
        QuotedName tensor = quote_name(order[i]->name, strlen(order[i]->name));
        if (start < end) {
            ok = error_set(err, ERR_FORMAT,
                           "%s: tensor \"%s\" starts at byte %zu of the data, inside \"%s\": the "
                           "header is damaged, fetch the file again",
                           name, tensor.text, start,
                           quote_name(order[i - 1]->name, strlen(order[i - 1]->name)).text);
        } else if (without_holes && start > end) {
            ok = error_set(err, ERR_FORMAT,
                           "%s: no tensor owns bytes %zu to %zu of the data, before \"%s\": the "
                           "header is damaged, fetch the file again",
                           name, end, start, tensor.text);
        }
        end = start + order[i]->n_bytes;
    }
    if (ok && without_holes && end != n_bytes) {
        ok = error_set(err, ERR_FORMAT,
                       "%s: its tensors end at byte %zu of the data, which has %zu: the header is "
                       "damaged, fetch the file again",
                       name, end, n_bytes);
    }
    mem_free((void *)order);
    return ok;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const TensorView *const *)a)->name, (*(const TensorView *const *)b)->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const MetaValue *const *)a)->key, (*(const MetaValue *const *)b)->key);
}

/* Makes names and keys searchable and refuses those that come twice. */
static bool index_names(TensorFile *file, Error *err)
{
    size_t n = file->tensors.n;
    size_t m = file->metas.n;
    file->by_name = ARENA_ARRAY(&file->arena, const TensorView *, n, err);
    file->by_key = file->by_name ? ARENA_ARRAY(&file->arena, const MetaValue *, m, err) : NULL;
    if (!file->by_key) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        file->by_name[i] = &file->tensors.items[i];
    }
    for (size_t i = 0; i < m; i++) {
        file->by_key[i] = &file->metas.items[i];
    }
    qsort((void *)file->by_name, n, sizeof *file->by_name, compare_names);
    qsort((void *)file->by_key, m, sizeof *file->by_key, compare_keys);
    for (size_t i = 1; i < n; i++) {
        const char *name = file->by_name[i]->name;
        if (strcmp(name, file->by_name[i - 1]->name) == 0) {
            return error_set(err, ERR_FORMAT, "%s: tensor \"%s\" comes twice", file->path,
                             quote_name(name, strlen(name)).text);
        }
    }
    for (size_t i = 1; i < m; i++) {
        const char *key = file->by_key[i]->key;
        if (strcmp(key, file->by_key[i - 1]->key) == 0) {
            return error_set(err, ERR_FORMAT, "%s: metadata key \"%s\" comes twice", file->path,
                             quote_name(key, strlen(key)).text);
        }
    }
    return true;
}

static bool refuse_pickle(const char *name, Error *err)
{
    return error_set(err, ERR_UNSUPPORTED,
                     "%s is a PyTorch pickle, which can run code when it is read, so it is never "
                     "opened; where PyTorch is, convert it: python3 -c \"import torch; from "
                     "safetensors.torch import save_file; save_file({k: v.clone().contiguous() for "
                     "k, v in torch.load('IN.bin', weights_only=True).items()}, "
                     "'model.safetensors')\"",
                     name);
}

static bool starts_with(const unsigned char *data, size_t n_bytes, const char *text)
{
    size_t n = strlen(text);
    return n_bytes >= n && memcmp(data, text, n) == 0;
}

/* Tells what a file is from its first bytes. Index files are handled before, by path only. */
static bool read_bytes(TensorFile *file, const char *name, const unsigned char *data,
                       size_t n_bytes, Error *err)
{
    if (n_bytes == 0) {
        return error_set(err, ERR_FORMAT, "%s is empty: fetch it again", name);
    }
    if (starts_with(data, n_bytes, "GGUF")) {
        file->kind = TENSOR_FILE_GGUF;
        return gguf_read(file, name, data, n_bytes, err);
    }
    if (!safetensors_is_likely(data, n_bytes)) {
        bool zip = starts_with(data, n_bytes, "PK\003\004");
        bool pickle = n_bytes > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5;
        if (zip || pickle || path_has_suffix(name, ".bin") || path_has_suffix(name, ".pt") ||
            path_has_suffix(name, ".pth") || path_has_suffix(name, ".ckpt")) {
            return refuse_pickle(name, err);
        }
        if (starts_with(data, n_bytes, "version https://git-lfs")) {
            return error_set(err, ERR_FORMAT,
                             "%s is a Git LFS pointer, not the weights: run `git lfs pull` there",
                             name);
        }
        if (starts_with(data, n_bytes, "{")) {
            return error_set(err, ERR_FORMAT,
                             "%s is JSON, not weights: give the folder, a .safetensors, a "
                             "model.safetensors.index.json or a .gguf",
                             name);
        }
    }
    file->kind = TENSOR_FILE_SAFETENSORS;
    return safetensors_read(file, name, data, n_bytes, err);
}

static bool map_and_read(TensorFile *file, const char *path, Error *err)
{
    FileMap map;
    if (!file_map_open(&map, path, err)) {
        return false;
    }
    if (!ARRAY_PUSH(&file->maps, map, err)) {
        file_map_close(&map);
        return false;
    }
    return read_bytes(file, path, map.data, map.n_bytes, err);
}

/* Reads each file that an index's weight_map names, once. */
static bool read_shards(TensorFile *file, const char *path, const cJSON *weight_map, Error *err)
{
    const char *base = path_base_name(path);
    char *folder = arena_strndup(&file->arena, path, (size_t)(base - path), err);
    if (!folder) {
        return false;
    }
    ARRAY_OF(const char *) seen = {0};
    bool ok = true;
    for (const cJSON *item = weight_map->child; item && ok; item = item->next) {
        const char *shard = cJSON_IsString(item) ? item->valuestring : "";
        if (!*shard || strchr(shard, '/') || *shard == '.') {
            ok = error_set(err, ERR_FORMAT,
                           "%s: weight_map must name files beside it, but for \"%s\" it has \"%s\"",
                           path, quote_name(item->string, strlen(item->string)).text,
                           quote_name(shard, strlen(shard)).text);
            break;
        }
        bool known = false;
        for (size_t i = 0; i < seen.n && !known; i++) {
            known = strcmp(seen.items[i], shard) == 0;
        }
        if (!known) {
            char *shard_path = arena_printf(&file->arena, err, "%s%s", folder, shard);
            ok = shard_path && ARRAY_PUSH(&seen, shard, err) && map_and_read(file, shard_path, err);
            if (ok && file->kind != TENSOR_FILE_SAFETENSORS) {
                ok = error_set(err, ERR_FORMAT, "%s is no safetensors, but %s names it", shard_path,
                               path);
            }
        }
    }
    ARRAY_FREE(&seen);
    return ok;
}

static bool read_index(TensorFile *file, const char *path, Error *err)
{
    cJSON *json = json_parse_file(path, err);
    if (!json) {
        return false;
    }
    const cJSON *weight_map = json_get(json, "weight_map");
    bool ok = cJSON_IsObject(weight_map) ||
              error_set(err, ERR_FORMAT,
                        "%s has no object \"weight_map\": is it the index of a "
                        "sharded safetensors model?",
                        path);
    ok = ok && read_shards(file, path, weight_map, err) && index_names(file, err);
    for (const cJSON *item = ok ? weight_map->child : NULL; item && ok; item = item->next) {
        if (!tensor_file_find(file, item->string)) {
            ok =
                error_set(err, ERR_FORMAT, "%s: tensor \"%s\" is not in %s, nor in the other files",
                          path, quote_name(item->string, strlen(item->string)).text,
                          quote_name(item->valuestring, strlen(item->valuestring)).text);
        }
    }
    json_free(json);
    return ok;
}

/* The first name with a suffix, NULL where there is none; *n_found says how many there are. */
static const char *find_suffix(char **names, size_t n_names, const char *suffix, size_t *n_found)
{
    const char *found = NULL;
    *n_found = 0;
    for (size_t i = 0; i < n_names; i++) {
        if (path_has_suffix(names[i], suffix)) {
            found = found ? found : names[i];
            (*n_found)++;
        }
    }
    return found;
}

/* The file in a folder that holds its weights, or NULL. */
static const char *find_in_folder(Arena *arena, const char *folder, Error *err)
{
    static const char *const usual[] = {"model.safetensors", "model.safetensors.index.json"};
    for (size_t i = 0; i < AS_COUNT(usual); i++) {
        char *path = path_join(arena, folder, usual[i], err);
        if (!path || path_exists(path)) {
            return path;
        }
    }
    char **names;
    size_t n_names;
    if (!folder_list(arena, folder, &names, &n_names, err)) {
        return NULL;
    }
    static const char *const suffixes[] = {".safetensors", ".gguf", ".bin", ".pt", ".pth"};
    for (size_t i = 0; i < AS_COUNT(suffixes); i++) {
        size_t n_found;
        const char *found = find_suffix(names, n_names, suffixes[i], &n_found);
        bool is_pickle = i >= 2;
        if (n_found > 1 && !is_pickle) {
            error_set(err, ERR_IO, "%s holds %zu %s files, %s the first: name the one you mean",
                      folder, n_found, suffixes[i], found);
            return NULL;
        }
        const char *path = found ? path_join(arena, folder, found, err) : NULL;
        if (found && is_pickle && path) {
            refuse_pickle(path, err);
            return NULL;
        }
        if (found) {
            return path;
        }
    }
    error_set(err, ERR_IO,
              "%s holds no weights: expected model.safetensors, model.safetensors.index.json or a "
              ".gguf",
              folder);
    return NULL;
}

TensorFile *tensor_file_open(const char *path, Error *err)
{
    TensorFile *file = mem_alloc_zeroed(1, sizeof *file, err);
    if (!file) {
        return NULL;
    }
    bool is_folder = path_is_folder(path);
    file->path =
        is_folder ? find_in_folder(&file->arena, path, err) : arena_strdup(&file->arena, path, err);
    bool ok = file->path != NULL;
    if (ok && path_has_suffix(file->path, ".index.json")) {
        ok = read_index(file, file->path, err);
    } else if (ok) {
        ok = map_and_read(file, file->path, err) && index_names(file, err);
    }
    if (!ok) {
        tensor_file_close(&file);
    }
    return file;
}

TensorFile *tensor_file_open_memory(const char *name, const void *data, size_t n_bytes, Error *err)
{
    TensorFile *file = mem_alloc_zeroed(1, sizeof *file, err);
    if (!file) {
        return NULL;
    }
    file->path = arena_strdup(&file->arena, name, err);
    if (!file->path || !read_bytes(file, file->path, data, n_bytes, err) ||
        !index_names(file, err)) {
        tensor_file_close(&file);
    }
    return file;
}

void tensor_file_close(TensorFile **file)
{
    if (!file || !*file) {
        return;
    }
    TensorFile *f = *file;
    for (size_t i = 0; i < f->maps.n; i++) {
        file_map_close(&f->maps.items[i]);
    }
    ARRAY_FREE(&f->maps);
    ARRAY_FREE(&f->tensors);
    ARRAY_FREE(&f->metas);
    arena_destroy(&f->arena);
    mem_free(f);
    *file = NULL;
}

TensorFileKind tensor_file_kind(const TensorFile *file)
{
    return file->kind;
}

const char *tensor_file_path(const TensorFile *file)
{
    return file->path;
}

size_t tensor_file_count(const TensorFile *file)
{
    return file->tensors.n;
}

const TensorView *tensor_file_at(const TensorFile *file, size_t index)
{
    AS_ASSERT(index < file->tensors.n);
    return &file->tensors.items[index];
}

static int compare_to_name(const void *name, const void *item)
{
    return strcmp(name, (*(const TensorView *const *)item)->name);
}

const TensorView *tensor_file_find(const TensorFile *file, const char *name)
{
    const TensorView *const *found = bsearch(name, (const void *)file->by_name, file->tensors.n,
                                             sizeof *file->by_name, compare_to_name);
    return found ? *found : NULL;
}

const TensorView *tensor_file_need(const TensorFile *file, const char *name, int32_t n_dims,
                                   const int64_t *shape, Error *err)
{
    const TensorView *view = tensor_file_find(file, name);
    if (!view) {
        error_set(err, ERR_FORMAT,
                  "%s has no tensor \"%s\" among its %zu: the weights are incomplete or belong to "
                  "another architecture",
                  file->path, quote_name(name, strlen(name)).text, file->tensors.n);
        return NULL;
    }
    bool same = n_dims < 0 || n_dims == view->n_dims;
    for (int32_t i = 0; i < n_dims && same; i++) {
        same = view->shape[i] == shape[i];
    }
    if (!same) {
        char found[128];
        char expected[128];
        error_set(err, ERR_FORMAT, "%s: tensor \"%s\" has shape %s, expected %s", file->path,
                  quote_name(name, strlen(name)).text,
                  tensor_shape_text(view->n_dims, view->shape, found),
                  tensor_shape_text(n_dims, shape, expected));
        return NULL;
    }
    return view;
}

const float *tensor_view_floats(const TensorView *view)
{
    bool aligned = (uintptr_t)view->data % sizeof(float) == 0;
    return view->dtype == DTYPE_F32 && aligned ? view->data : NULL;
}
