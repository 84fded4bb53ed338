#include "model/weights.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute/dequant.h"
#include "compute/threads.h"

enum { NAME_BYTES = 192, CHUNK_ROWS = 16 };

/* ---------------------------------------------------------------- names */

/* prefix + pattern with the layer in place of %d + suffix */
static bool make_name(char name[NAME_BYTES], const char *prefix, const char *pattern, int32_t layer,
                      const char *suffix)
{
    const char *mark = strstr(pattern, "%d");
    const int n = mark ? snprintf(name, NAME_BYTES, "%s%.*s%d%s%s", prefix, (int)(mark - pattern),
                                  pattern, layer, mark + 2, suffix)
                       : snprintf(name, NAME_BYTES, "%s%s%s", prefix, pattern, suffix);
    return n > 0 && n < NAME_BYTES;
}

typedef ARRAY_OF(const TensorView *) UsedTensors;

typedef struct Binder {
    Weights *weights;
    const Arch *arch;
    ArchConfig *config;
    const TensorFile *file;
    Arena *arena;
    const char *prefix; /* of safetensors names */
    bool gguf;
    UsedTensors *used; /* tensors that play a role */
} Binder;

static const char *tensor_pattern(const Binder *b, const ArchTensor *row)
{
    return b->gguf ? row->gguf : row->hf;
}

static const char *tensor_prefix(const Binder *b, const ArchTensor *row)
{
    return b->gguf || (row->flags & ARCH_NO_PREFIX) ? "" : b->prefix;
}

/* The tensor of a row with the first of the suffixes that is there. */
static const TensorView *find_tensor(const Binder *b, const ArchTensor *row, int32_t layer,
                                     const char *const *suffixes)
{
    char name[NAME_BYTES];
    for (; *suffixes; suffixes++) {
        if (make_name(name, tensor_prefix(b, row), tensor_pattern(b, row), layer, *suffixes)) {
            const TensorView *view = tensor_file_find(b->file, name);
            if (view) {
                return view;
            }
        }
    }
    return NULL;
}

static const char *const WEIGHT_SUFFIXES[] = {".weight", ".gamma", NULL};
static const char *const BIAS_SUFFIXES[] = {".bias", ".beta", NULL};
static const char *const NO_SUFFIXES[] = {"", NULL};

/* The prefix whose embeddings are there: those of the first row, under any of their names. */
static bool choose_prefix(Binder *b, Error *err)
{
    const ArchTensor *first = b->arch->tensors;
    b->prefix = "";
    if (b->gguf) {
        return true;
    }
    for (const char *const *p = b->arch->prefixes; *p; p++) {
        b->prefix = *p;
        for (const ArchTensor *row = first; row->role == first->role; row++) {
            if (find_tensor(b, row, 0, WEIGHT_SUFFIXES)) {
                return true;
            }
        }
    }
    return error_set(err, ERR_FORMAT, "%s: no tensor %s%s.weight: not the weights of a %s model",
                     tensor_file_path(b->file), b->arch->prefixes[0], first->hf, b->arch->id);
}

/* ---------------------------------------------------------------- one tensor */

static bool shape_wrong(const Binder *b, const TensorView *view, int64_t rows, int64_t columns,
                        Error *err)
{
    char found[128];
    return error_set(err, ERR_FORMAT, "%s: tensor %s has shape %s, expected [%lld, %lld]",
                     tensor_file_path(b->file), view->name,
                     tensor_shape_text(view->n_dims, view->shape, found), (long long)rows,
                     (long long)columns);
}

static bool check_readable(const Binder *b, const TensorView *view, Error *err)
{
    if (!dequant_supported(view->dtype)) {
        return error_set(err, ERR_UNSUPPORTED, "%s: tensor %s is of type %s, which cannot be read",
                         tensor_file_path(b->file), view->name, dtype_name(view->dtype));
    }
    const int32_t block = dtype_info(view->dtype)->block_elements;
    if (view->n_dims < 1 || view->shape[view->n_dims - 1] % block != 0) {
        return error_set(err, ERR_FORMAT, "%s: rows of tensor %s are no whole blocks of %s",
                         tensor_file_path(b->file), view->name, dtype_name(view->dtype));
    }
    return true;
}

/* Where the matrix of a role lies in its tensor: rows before it, and how many the tensor has. */
static void part_of_tensor(const ArchConfig *c, const ArchTensor *row, Weight *w,
                           int64_t *tensor_rows)
{
    const int64_t q = c->n_heads * c->head_width, kv = c->n_kv_heads * c->head_width;
    const int64_t part = row->role == ROLE_Q ? 0 : row->role == ROLE_K ? 1 : 2;
    w->chunk = w->rows;
    *tensor_rows = w->rows;
    if (row->flags & ARCH_QKV_ROWS) {
        w->first = part == 0 ? 0 : part == 1 ? q : q + kv;
        *tensor_rows = q + 2 * kv;
    } else if (row->flags & ARCH_QKV_PER_HEAD) {
        w->first = part * c->head_width;
        w->chunk = c->head_width;
        w->stride = 3 * c->head_width;
        *tensor_rows = 3 * q;
    } else if (row->flags & ARCH_PAIR_ROWS) {
        w->first = row->role == ROLE_UP ? w->rows : 0;
        *tensor_rows = 2 * w->rows;
    }
}

/* Which elements of a one-dimensional tensor of `total` are a role's n. */
typedef struct Slice {
    int64_t n, total, first, chunk, stride;
} Slice;

static bool bind_vector(const Binder *b, const TensorView *view, Slice s, float offset,
                        const float **out, Error *err)
{
    if ((int64_t)view->n_elements != s.total ||
        view->shape[view->n_dims ? view->n_dims - 1 : 0] != s.total) {
        return shape_wrong(b, view, 1, s.total, err);
    }
    if (!check_readable(b, view, err)) {
        return false;
    }
    const float *floats = tensor_view_floats(view);
    if (floats && offset == 0 && !s.stride) {
        *out = floats + s.first;
        return true;
    }
    float *all = ARENA_ARRAY(b->arena, float, view->n_elements, err);
    if (!all || !dequant_rows(view->dtype, view->data, view->n_elements, all, err)) {
        return false;
    }
    for (int64_t i = 0; i < s.n; i++) { /* forwards: from at or after where it goes */
        all[i] = all[s.first + i / s.chunk * s.stride + i % s.chunk] + offset;
    }
    *out = all;
    return true;
}

/* Also as [1, rows, columns] (a table kept as a batch) and [rows, a, b, c] with a * b * c = columns
 * (a convolution). */
static bool is_matrix(const TensorView *view, int64_t rows, int64_t columns)
{
    int32_t first = 0;
    while (first + 2 < view->n_dims && view->shape[first] == 1) {
        first++;
    }
    return view->n_dims >= 2 && view->shape[first] == rows && rows > 0 &&
           view->n_elements == (uint64_t)rows * (uint64_t)columns &&
           (view->n_dims == first + 2 ? view->shape[first + 1] == columns
                                      : dtype_info(view->dtype)->block_elements == 1);
}

/* *bias becomes where the bias of the matrix lies in the tensor's bias. */
static bool bind_matrix(const Binder *b, const ArchTensor *row, const TensorView *view, Weight *w,
                        Slice *bias, Error *err)
{
    int64_t tensor_rows;
    arch_role_shape(b->config, row->role, &w->rows, &w->columns);
    part_of_tensor(b->config, row, w, &tensor_rows);
    w->in_out = !b->gguf && (row->flags & ARCH_IN_OUT_HF);
    const int64_t need_rows = w->in_out ? w->columns : tensor_rows;
    const int64_t need_columns = w->in_out ? tensor_rows : w->columns;
    if (!is_matrix(view, need_rows, need_columns)) {
        return shape_wrong(b, view, need_rows, need_columns, err);
    }
    if (!check_readable(b, view, err)) {
        return false;
    }
    if (w->in_out && dtype_info(view->dtype)->block_elements != 1) {
        return error_set(err, ERR_UNSUPPORTED, "%s: tensor %s: type %s cannot be read by columns",
                         tensor_file_path(b->file), view->name, dtype_name(view->dtype));
    }
    w->row_length = need_columns;
    w->view = view;
    *bias = (Slice){w->rows, tensor_rows, w->first, w->chunk, w->stride};
    return true;
}

/* ---------------------------------------------------------------- roles */

static bool no_role(const Binder *b, const ArchTensor *row, int32_t layer)
{
    return ((row->flags & ARCH_NOT_IN_FIRST) && layer == 0) ||
           (row->flags & (b->config->norm_after ? ARCH_NORM_BEFORE : ARCH_NORM_AFTER));
}

static bool bind_row(Binder *b, const ArchTensor *row, int32_t layer, Error *err)
{
    RoleWeights *role = (RoleWeights *)weights_role(b->weights, layer, row->role);
    const bool is_vector = arch_role_is_vector(row->role);
    const bool bare = row->flags & ARCH_NO_SUFFIX;
    if (!tensor_pattern(b, row) || role->matrix.view || role->vector || no_role(b, row, layer)) {
        return true;
    }
    const TensorView *view = find_tensor(b, row, layer, bare ? NO_SUFFIXES : WEIGHT_SUFFIXES);
    const TensorView *bias = bare ? NULL : find_tensor(b, row, layer, BIAS_SUFFIXES);
    if (!view) {
        return true;
    }
    if (!ARRAY_PUSH(b->used, view, err) || (bias && !ARRAY_PUSH(b->used, bias, err))) {
        return false;
    }
    if (!is_vector) {
        Weight w = {0};
        Slice slice;
        if (!bind_matrix(b, row, view, &w, &slice, err)) {
            return false;
        }
        role->matrix = w;
        return !bias || bind_vector(b, bias, slice, 0, &role->bias, err);
    }
    int64_t one, n;
    arch_role_shape(b->config, row->role, &one, &n);
    const Slice whole = {n, n, 0, n, 0};
    const bool is_norm = row->role != ROLE_HEAD_BIAS && row->role != ROLE_CLASS &&
                         row->role != ROLE_ROTARY_DIVISORS &&
                         row->role != ROLE_ROTARY_DIVISORS_LONG;
    const ArchFileHabits *habits = b->gguf ? &b->arch->gguf : &b->arch->safetensors;
    return bind_vector(b, view, whole, is_norm ? habits->norm_offset : 0, &role->vector, err) &&
           (!bias || bind_vector(b, bias, whole, 0, &role->bias, err));
}

/* After all rows of a role were tried: is one there that had to be? */
static bool check_present(Binder *b, const ArchTensor *row, int32_t layer, Error *err)
{
    char name[NAME_BYTES];
    const RoleWeights *role = weights_role(b->weights, layer, row->role);
    if ((row->flags & ARCH_OPTIONAL) || role->matrix.view || role->vector ||
        no_role(b, row, layer)) {
        return true;
    }
    const char *pattern = tensor_pattern(b, row);
    if (!pattern || !make_name(name, tensor_prefix(b, row), pattern, layer, ".weight")) {
        return error_set(err, ERR_FORMAT, "%s: nothing plays the role %s of a %s model",
                         tensor_file_path(b->file), arch_role_name(row->role), b->arch->id);
    }
    return error_set(err, ERR_FORMAT, "%s: tensor %s is missing", tensor_file_path(b->file), name);
}

static bool for_rows(Binder *b, bool (*visit)(Binder *, const ArchTensor *, int32_t, Error *),
                     Error *err)
{
    for (const ArchTensor *row = b->arch->tensors; row->role != ROLE_COUNT; row++) {
        const int32_t n = row->role < ROLE_FIRST_OF_LAYER ? 1 : (int32_t)b->config->n_layers;
        for (int32_t layer = 0; layer < n; layer++) {
            if (!visit(b, row, layer, err)) {
                return false;
            }
        }
    }
    return true;
}

/* Rows of a table where the config does not say how many: GGUF's vocabulary and token types. */
static void size_from_tensor(Binder *b, ArchRole role, int64_t *size)
{
    for (const ArchTensor *row = b->arch->tensors; row->role != ROLE_COUNT; row++) {
        if (row->role == role && tensor_pattern(b, row)) {
            const TensorView *view = find_tensor(b, row, 0, WEIGHT_SUFFIXES);
            if (view && view->n_dims == 2 && view->shape[0] > 0 &&
                (double)view->shape[0] <= ARCH_MAX_SIZE) {
                *size = view->shape[0];
            }
        }
    }
}

static int compare_views(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t) * (const TensorView *const *)a;
    const uintptr_t y = (uintptr_t) * (const TensorView *const *)b;
    return (x > y) - (x < y);
}

/* Is this a tensor of a layer ("….3.…") that should do something? Buffers that old checkpoints
 * carry along do nothing. */
static bool matters(const char *name)
{
    static const char *const BUFFERS[] = {"inv_freq", ".attn.bias", ".attn.masked_bias",
                                          ".attention.bias", ".attention.masked_bias"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < AS_COUNT(BUFFERS); i++) {
        const size_t length = strlen(BUFFERS[i]);
        if (n >= length && strcmp(name + n - length, BUFFERS[i]) == 0) {
            return false;
        }
    }
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        if (isdigit((unsigned char)dot[1])) {
            return true;
        }
    }
    return false;
}

/* A tensor of a layer that nothing reads means that this is not quite the model it says it is. */
static void warn_unused(const TensorFile *file, const char *arch_id, UsedTensors *used,
                        const Log *log)
{
    const TensorView *first = NULL;
    size_t n = 0;
    qsort(used->items, used->n, sizeof(const TensorView *), compare_views);
    for (size_t i = 0; i < tensor_file_count(file); i++) {
        const TensorView *view = tensor_file_at(file, i);
        if (matters(view->name) &&
            !bsearch(&view, used->items, used->n, sizeof(const TensorView *), compare_views)) {
            first = first ? first : view;
            n++;
        }
    }
    if (n > 0) {
        log_write(log, LOG_WARNING,
                  "%s: %zu tensors of layers play no role in a %s model, the first is %.80s; what "
                  "is shown may differ from what the model does",
                  tensor_file_path(file), n, arch_id, first->name);
    }
}

static bool bind_all(Binder *b, Error *err)
{
    if (!choose_prefix(b, err)) {
        return false;
    }
    if (b->gguf || b->config->vocabulary == 0) {
        size_from_tensor(b, ROLE_TOKENS, &b->config->vocabulary);
    }
    if (b->config->vocabulary == 0) { /* the labels of a classifier */
        size_from_tensor(b, ROLE_HEAD, &b->config->vocabulary);
    }
    if (b->gguf) {
        size_from_tensor(b, ROLE_TYPES, &b->config->n_types);
        if (b->arch->positions == ARCH_POSITIONS_LEARNED) {
            size_from_tensor(b, ROLE_POSITIONS, &b->config->max_positions);
            b->config->max_positions -= b->config->position_offset;
        }
    }
    return for_rows(b, bind_row, err) && for_rows(b, check_present, err);
}

static bool bind_part(ModelPart *part, const TensorFile *file, Arena *arena, UsedTensors *used,
                      Error *err)
{
    const Arch *arch = part->arch;
    Weights *weights = &part->weights;
    Binder b = {.weights = weights,
                .arch = arch,
                .config = &part->config,
                .file = file,
                .arena = arena,
                .used = used,
                .gguf = tensor_file_kind(file) == TENSOR_FILE_GGUF};
    *weights = (Weights){0};
    weights->heads_interleaved =
        b.gguf ? arch->gguf.heads_interleaved : arch->safetensors.heads_interleaved;
    weights->layers =
        arena_alloc_array(arena, (size_t)part->config.n_layers, sizeof *weights->layers, err);
    if (!weights->layers || !bind_all(&b, err)) {
        return false;
    }
    /* GGUF has no word for it: without a head of its own a model uses its embeddings. */
    part->config.tied = part->config.tied || (b.gguf && !weights->roles[ROLE_HEAD].matrix.view);
    return true;
}

bool weights_bind(ModelPart *const *parts, int n_parts, const TensorFile *file, Arena *arena,
                  const Log *log, Error *err)
{
    UsedTensors used = {0};
    bool ok = true;
    for (int i = 0; i < n_parts && ok; i++) {
        ok = !parts[i]->arch || bind_part(parts[i], file, arena, &used, err);
    }
    if (ok) {
        warn_unused(file, parts[0]->arch->id, &used, log);
    }
    ARRAY_FREE(&used);
    return ok;
}

/* ---------------------------------------------------------------- floats */

/* The matrix lies in the file as floats that need no change. */
static const float *in_place(const Weight *w)
{
    return w->stride ? NULL : tensor_view_floats(w->view);
}

size_t weight_scratch(const Weight *weight)
{
    return !weight->view || in_place(weight) ? 0 : (size_t)(weight->rows * weight->columns);
}

/* Rows [row, row + n) of the matrix as they lie in the file ([in, out]: of its transpose). */
static bool expand_block(const Weight *w, int64_t row, int64_t n, float *out)
{
    const TensorView *view = w->view;
    if (w->in_out) {
        const size_t element = (size_t)dtype_info(view->dtype)->block_bytes;
        for (int64_t i = row; i < row + n; i++) {
            const char *from =
                (const char *)view->data + (size_t)(i * w->row_length + w->first) * element;
            if (!dequant_rows(view->dtype, from, (size_t)w->rows, out + (i - row) * w->rows,
                              NULL)) {
                return false;
            }
        }
        return true;
    }
    while (n > 0) {
        const int64_t inside = row % w->chunk;
        const int64_t take = AS_MIN(n, w->chunk - inside);
        const int64_t at = w->first + row / w->chunk * w->stride + inside;
        if (!dequant_row_range(view->dtype, view->data, (size_t)w->columns, (size_t)at,
                               (size_t)take, out, NULL)) {
            return false;
        }
        row += take;
        n -= take;
        out += take * w->columns;
    }
    return true;
}

static bool expand_range(const Weight *w, int64_t row, int64_t n_rows, float *scratch,
                         int n_threads, Error *err)
{
    const int64_t width = w->in_out ? w->rows : w->columns;
    const int64_t n_chunks = (n_rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
    bool failed = false;
#pragma omp parallel for num_threads(compute_threads(n_threads)) reduction(||                      \
                                                                           : failed)               \
    schedule(static)
    for (int64_t c = 0; c < n_chunks; c++) {
        const int64_t first = c * CHUNK_ROWS;
        failed = failed || !expand_block(w, row + first, AS_MIN(CHUNK_ROWS, n_rows - first),
                                         scratch + first * width);
    }
    if (failed) {
        return error_set(err, ERR_FORMAT, "tensor %s cannot be expanded from %s", w->view->name,
                         dtype_name(w->view->dtype));
    }
    return true;
}

bool weight_expand(const Weight *weight, float *scratch, int n_threads, WeightFloats *out,
                   Error *err)
{
    const Weight *w = weight;
    const float *floats = in_place(w);
    if (floats) {
        *out = (WeightFloats){floats + (w->in_out ? w->first : w->first * w->row_length),
                              w->row_length, w->in_out};
        return true;
    }
    *out = (WeightFloats){scratch, w->in_out ? w->rows : w->columns, w->in_out};
    return expand_range(w, 0, w->in_out ? w->columns : w->rows, scratch, n_threads, err);
}

bool weight_expand_rows(const Weight *weight, int64_t row, int64_t n_rows, float *scratch,
                        int n_threads, WeightFloats *out, Error *err)
{
    const float *floats = in_place(weight);
    AS_ASSERT(!weight->in_out && row >= 0 && row + n_rows <= weight->rows);
    if (floats) {
        *out = (WeightFloats){floats + (weight->first + row) * weight->row_length,
                              weight->row_length, false};
        return true;
    }
    *out = (WeightFloats){scratch, weight->columns, false};
    return expand_range(weight, row, n_rows, scratch, n_threads, err);
}

bool weight_row(const Weight *weight, int64_t row, float *out, Error *err)
{
    const float *floats = in_place(weight);
    AS_ASSERT(!weight->in_out && row >= 0 && row < weight->rows);
    if (floats) {
        memcpy(out, floats + (weight->first + row) * weight->row_length,
               (size_t)weight->columns * sizeof *out);
        return true;
    }
    return dequant_row_range(weight->view->dtype, weight->view->data, (size_t)weight->columns,
                             (size_t)(weight->first + row), 1, out, err);
}
