#include "gfx/evaluate.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glad/gl.h>

#include "gfx/internal.h"

/*
 * Operands lie one behind the other in one buffer, so that a dispatch can read any number of heads;
 * when there is no place for the next, all are forgotten. Work is cut into slices of groups whose
 * length follows what the last ones took.
 */

enum {
    BLOCK_SIDE = 64,         /* pairs a side that a group makes at a time; tile.comp */
    MOST_GROUPS = 65535,     /* of a dispatch, everywhere */
    UPLOAD_BYTES = 16 << 20, /* in one step */
    LEAST_POOL = 1 << 20,    /* bytes to begin with */
    ALIGN = 16,
    BINDING_POOL = 0,
    BINDING_HEADS,
    BINDING_HIDDEN,
    BINDING_ROW_SCALES,
    BINDING_VALUES,
    BINDING_WORK,
    BINDINGS
};
static const size_t DEFAULT_BUDGET = (size_t)256 << 20;
/* Before anything was measured: what a processor does. */
static const double FIRST_RATE = 1e9;
static const double SLICE_S = 4e-3;

typedef struct PoolEntry {
    EvalKey key;
    size_t at, n_bytes, sent; /* bytes */
} PoolEntry;

/* As tile.comp has it. */
typedef struct HeadRow {
    uint32_t q, k, rows, bias; /* words */
    int32_t zero, has_bias;
    float scale, cap;
} HeadRow;

struct Evaluator {
    uint32_t program;
    int32_t u_part, u_grid, u_first_group, u_size, u_how;
    uint32_t buffers[BINDINGS];
    size_t pool_bytes, used_bytes, budget;
    ARRAY_OF(PoolEntry) entries;
    double rate; /* multiplications a second of the last slices */
    uint64_t id; /* of the tile on its way */
    bool prepared;
    int64_t next_group, n_groups;
    size_t upload_bytes; /* of the tile on its way, not there yet */
};

static bool gl_ok(const char *what, Error *err)
{
    GLenum code = glGetError();
    if (code == GL_NO_ERROR) {
        return true;
    }
    while (glGetError() != GL_NO_ERROR) {
    }
    return error_set(err, ERR_GRAPHICS, "tiles on the GPU: GL error 0x%04X while %s", code, what);
}

Evaluator *evaluator_create(const EvaluatorDesc *desc, Error *err)
{
    GLint blocks = 0;
    GLint shared_bytes = 0;
    GLint64 block_bytes = 0;
    if (!GLAD_GL_VERSION_4_3) {
        error_set(err, ERR_UNSUPPORTED, "compute shaders need OpenGL 4.3, %s is here",
                  (const char *)glGetString(GL_VERSION));
        return NULL;
    }
    glGetIntegerv(GL_MAX_COMPUTE_SHADER_STORAGE_BLOCKS, &blocks);
    glGetIntegerv(GL_MAX_COMPUTE_SHARED_MEMORY_SIZE, &shared_bytes);
    glGetInteger64v(GL_MAX_SHADER_STORAGE_BLOCK_SIZE, &block_bytes);
    if (blocks < BINDINGS || shared_bytes < 32768 || block_bytes < LEAST_POOL) {
        error_set(err, ERR_UNSUPPORTED,
                  "this OpenGL has too little room for tiles (%d buffers, %d bytes shared)", blocks,
                  shared_bytes);
        return NULL;
    }
    Evaluator *e = mem_alloc_zeroed(1, sizeof *e, err);
    if (!e) {
        return NULL;
    }
    e->budget = desc && desc->budget_bytes ? desc->budget_bytes : DEFAULT_BUDGET;
    e->budget = AS_MIN(e->budget, (size_t)AS_MIN(block_bytes, (GLint64)INT32_MAX));
    e->rate = FIRST_RATE;
    if (!gfx_link_compute("tile.comp", &e->program, err)) {
        evaluator_destroy(e);
        return NULL;
    }
    e->u_part = glGetUniformLocation(e->program, "part");
    e->u_grid = glGetUniformLocation(e->program, "grid");
    e->u_first_group = glGetUniformLocation(e->program, "first_group");
    e->u_size = glGetUniformLocation(e->program, "size");
    e->u_how = glGetUniformLocation(e->program, "how");
    glGenBuffers(BINDINGS, e->buffers);
    if (!gl_ok("making buffers", err)) {
        evaluator_destroy(e);
        return NULL;
    }
    return e;
}

void evaluator_destroy(Evaluator *e)
{
    if (e) {
        glDeleteBuffers(BINDINGS, e->buffers);
        glDeleteProgram(e->program);
        ARRAY_FREE(&e->entries);
        mem_free(e);
    }
}

/* ---- operands ---- */

static PoolEntry *find(const Evaluator *e, EvalKey key)
{
    for (size_t i = 0; i < e->entries.n; i++) {
        PoolEntry *entry = &e->entries.items[i];
        if (entry->key.owner == key.owner && entry->key.part == key.part) {
            return entry;
        }
    }
    return NULL;
}

bool evaluator_holds(const Evaluator *e, EvalKey key)
{
    const PoolEntry *entry = find(e, key);
    return entry && entry->sent == entry->n_bytes;
}

bool evaluator_fits(const Evaluator *e, size_t n_bytes)
{
    return n_bytes <= e->budget;
}

size_t evaluator_held_bytes(const Evaluator *e)
{
    return e->used_bytes;
}

static size_t padded(size_t n_bytes)
{
    return (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t new_bytes(const Evaluator *e, const EvalArray *array)
{
    return array->key.owner && !find(e, array->key) ? padded(array->n_bytes) : 0;
}

/* Room for so many bytes in the pool; what is there stays. */
static bool grow(Evaluator *e, size_t n_bytes, Error *err)
{
    if (n_bytes <= e->pool_bytes) {
        return true;
    }
    size_t size = AS_MAX(n_bytes, AS_MIN(AS_MAX(2 * e->pool_bytes, (size_t)LEAST_POOL), e->budget));
    GLuint pool;
    glGenBuffers(1, &pool);
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, pool);
    glBufferData(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)size, NULL, GL_STATIC_DRAW);
    if (e->used_bytes) {
        glBindBuffer(GL_COPY_READ_BUFFER, e->buffers[BINDING_POOL]);
        glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_SHADER_STORAGE_BUFFER, 0, 0,
                            (GLsizeiptr)e->used_bytes);
    }
    if (!gl_ok("making room for operands", err)) {
        glDeleteBuffers(1, &pool);
        return false;
    }
    glDeleteBuffers(1, &e->buffers[BINDING_POOL]);
    e->buffers[BINDING_POOL] = pool;
    e->pool_bytes = size;
    return true;
}

/* Places for all arrays of a tile; forgets all others when they do not fit beside them. */
static bool place(Evaluator *e, const EvalTile *tile, Error *err)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        bool fits = true;
        for (int32_t h = 0; h < tile->n_heads && fits; h++) {
            const EvalHead *head = &tile->heads[h];
            const EvalArray *arrays[] = {&head->q, &head->k, &head->rows, &head->bias};
            for (size_t i = 0; i < AS_COUNT(arrays) && fits; i++) {
                size_t n = new_bytes(e, arrays[i]);
                fits = n <= e->budget - e->used_bytes;
                if (!n || !fits) {
                    continue;
                }
                PoolEntry entry = {arrays[i]->key, e->used_bytes, arrays[i]->n_bytes, 0};
                if (!grow(e, e->used_bytes + n, err) || !ARRAY_PUSH(&e->entries, entry, err)) {
                    return false;
                }
                e->used_bytes += n;
            }
        }
        if (fits) {
            return true;
        }
        e->entries.n = 0;
        e->used_bytes = 0;
    }
    return error_set(err, ERR_RANGE,
                     "the operands of %d heads are more than the %zu bytes that may be kept on the "
                     "GPU",
                     tile->n_heads, e->budget);
}

/* Sends at most *room bytes of it. */
static bool send(Evaluator *e, const EvalArray *array, size_t *room, Error *err)
{
    PoolEntry *entry = array->key.owner ? find(e, array->key) : NULL;
    /* Without data: held when the caller looked, forgotten since; it brings it the next time. */
    if (!entry || entry->sent == entry->n_bytes || !*room || !array->data) {
        return true;
    }
    size_t n = AS_MIN(entry->n_bytes - entry->sent, *room);
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, e->buffers[BINDING_POOL]);
    glBufferSubData(GL_SHADER_STORAGE_BUFFER, (GLintptr)(entry->at + entry->sent), (GLsizeiptr)n,
                    (const char *)array->data + entry->sent);
    entry->sent += n;
    *room -= n;
    return gl_ok("sending operands", err);
}

/* One step of uploading; *left: bytes that are still to go. */
static bool send_some(Evaluator *e, const EvalTile *tile, size_t *left, Error *err)
{
    size_t room = UPLOAD_BYTES;
    *left = 0;
    for (int32_t h = 0; h < tile->n_heads; h++) {
        const EvalHead *head = &tile->heads[h];
        const EvalArray *arrays[] = {&head->q, &head->k, &head->rows, &head->bias};
        for (size_t i = 0; i < AS_COUNT(arrays); i++) {
            if (!send(e, arrays[i], &room, err)) {
                return false;
            }
            const PoolEntry *entry = find(e, arrays[i]->key);
            *left += entry ? entry->n_bytes - entry->sent : 0;
        }
    }
    return true;
}

/* ---- work ---- */

static int32_t values_of(int32_t n, int32_t side)
{
    return (n - 1) / side + 1;
}

/* Values a side that a group makes. */
static int32_t values_a_group(const EvalTile *tile)
{
    return AS_MAX(BLOCK_SIDE / tile->side, 1);
}

static void fill_buffer(const Evaluator *e, int binding, const void *data, size_t n_bytes)
{
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, e->buffers[binding]);
    glBufferData(GL_SHADER_STORAGE_BUFFER, (GLsizeiptr)AS_MAX(n_bytes, (size_t)ALIGN), NULL,
                 GL_STREAM_DRAW);
    if (data && n_bytes) {
        glBufferSubData(GL_SHADER_STORAGE_BUFFER, 0, (GLsizeiptr)n_bytes, data);
    }
}

static uint32_t words_at(const Evaluator *e, const EvalArray *array)
{
    const PoolEntry *entry = array->key.owner ? find(e, array->key) : NULL;
    return entry ? (uint32_t)(entry->at / 4) : 0;
}

/* What the dispatches read besides operands, and where they write. */
static bool prepare(Evaluator *e, const EvalTile *tile, Error *err)
{
    HeadRow *rows = mem_alloc_zeroed((size_t)tile->n_heads, sizeof *rows, err);
    if (!rows) {
        return false;
    }
    for (int32_t h = 0; h < tile->n_heads; h++) {
        const EvalHead *head = &tile->heads[h];
        rows[h] = (HeadRow){.q = words_at(e, &head->q),
                            .k = words_at(e, &head->k),
                            .rows = words_at(e, &head->rows),
                            .bias = words_at(e, &head->bias),
                            .zero = head->zero,
                            .has_bias = head->bias.key.owner != 0,
                            .scale = head->scale,
                            .cap = head->cap};
    }
    fill_buffer(e, BINDING_HEADS, rows, (size_t)tile->n_heads * sizeof *rows);
    mem_free(rows);
    int32_t n_rows = tile->row1 - tile->row0;
    int32_t n_cols = tile->col1 - tile->col0;
    bool filters = tile->row_scales && tile->hidden;
    fill_buffer(e, BINDING_ROW_SCALES, filters ? tile->row_scales : NULL,
                filters ? (size_t)tile->n_heads * (size_t)n_rows * sizeof(float) : 0);
    fill_buffer(e, BINDING_HIDDEN, filters ? tile->hidden : NULL,
                filters ? ((size_t)n_cols + 31) / 32 * sizeof(uint32_t) : 0);
    int32_t out_rows = values_of(n_rows, tile->side);
    int32_t out_cols = values_of(n_cols, tile->side);
    fill_buffer(e, BINDING_VALUES, NULL, (size_t)out_rows * (size_t)out_cols * sizeof(float));
    int32_t group = values_a_group(tile);
    e->n_groups = (int64_t)values_of(out_rows, group) * values_of(out_cols, group);
    e->next_group = 0;
    e->prepared = true;
    return gl_ok("preparing a tile", err);
}

static void bind(const Evaluator *e, const EvalTile *tile)
{
    int32_t group = values_a_group(tile);
    int32_t out_cols = values_of(tile->col1 - tile->col0, tile->side);
    for (GLuint i = 0; i < BINDINGS; i++) {
        glBindBufferBase(GL_SHADER_STORAGE_BUFFER, i, e->buffers[i]);
    }
    glUseProgram(e->program);
    glUniform4i(e->u_part, tile->row0, tile->row1, tile->col0, tile->col1);
    glUniform4i(e->u_grid, tile->side, group, out_cols, values_of(out_cols, group));
    glUniform2i(e->u_size, tile->dim, tile->n_heads);
    glUniform4i(e->u_how, tile->halves, tile->mean_heads, tile->mean,
                tile->row_scales && tile->hidden);
}

static bool wait(Error *err)
{
    const GLuint64 patience_ns = 2000000000u;
    GLsync fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    GLenum state = GL_TIMEOUT_EXPIRED;
    for (int i = 0; fence && i < 10 && state == GL_TIMEOUT_EXPIRED; i++) {
        state = glClientWaitSync(fence, GL_SYNC_FLUSH_COMMANDS_BIT, patience_ns);
    }
    glDeleteSync(fence);
    return state == GL_ALREADY_SIGNALED || state == GL_CONDITION_SATISFIED
               ? true
               : error_set(err, ERR_GRAPHICS, "tiles on the GPU: it does not answer");
}

/* Multiplications of a group. */
static double group_cost(const EvalTile *tile)
{
    double blocks = ceil((double)tile->side / BLOCK_SIDE);
    return blocks * blocks * BLOCK_SIDE * BLOCK_SIDE * tile->dim * tile->n_heads;
}

/* How fast it is, by what was not masked. Short slices say little: mostly what a dispatch costs. */
static void learn(Evaluator *e, const EvalTile *tile, uint32_t blocks, double took)
{
    double rate = (double)blocks * BLOCK_SIDE * BLOCK_SIDE * tile->dim / AS_MAX(took, 1e-5);
    if (blocks && (took > SLICE_S / 8 || rate > e->rate)) {
        e->rate = AS_CLAMP(rate, e->rate / 4, e->rate * 4);
    }
}

/* As many groups as fit a slice. */
static bool run_slice(Evaluator *e, const EvalTile *tile, double seconds, Error *err)
{
    double start = clock_now_s();
    double most = AS_CLAMP(e->rate * seconds / group_cost(tile), 1.0, (double)MOST_GROUPS);
    int64_t n = AS_MIN((int64_t)most, e->n_groups - e->next_group);
    uint32_t blocks = 0;
    fill_buffer(e, BINDING_WORK, &blocks, sizeof blocks);
    glUniform1i(e->u_first_group, (GLint)e->next_group);
    glDispatchCompute((GLuint)n, 1, 1);
    glMemoryBarrier(GL_BUFFER_UPDATE_BARRIER_BIT);
    if (!wait(err)) {
        return false;
    }
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, e->buffers[BINDING_WORK]);
    glGetBufferSubData(GL_SHADER_STORAGE_BUFFER, 0, sizeof blocks, &blocks);
    learn(e, tile, blocks, clock_now_s() - start);
    e->next_group += n;
    return gl_ok("computing a tile", err);
}

static bool check(const EvalTile *tile, Error *err)
{
    bool ok = tile->id && tile->n_heads >= 1 && tile->dim >= 1 && tile->side >= 1 &&
              tile->row0 >= 0 && tile->row0 < tile->row1 && tile->col0 >= 0 &&
              tile->col0 < tile->col1;
    return ok ? true : error_set(err, ERR_INTERNAL, "no tile to compute");
}

EvalStatus evaluator_run(Evaluator *e, const EvalTile *tile, double seconds, float *out, Error *err)
{
    double start = clock_now_s();
    size_t left = 0;
    if (!check(tile, err)) {
        return EVAL_FAILED;
    }
    if (e->id != tile->id) {
        e->id = tile->id;
        e->prepared = false;
    }
    if (!e->prepared) {
        if (!place(e, tile, err) || !send_some(e, tile, &left, err)) {
            return EVAL_FAILED;
        }
        e->upload_bytes = left;
        if (left) {
            e->next_group = 0;
            return EVAL_MORE;
        }
        if (!prepare(e, tile, err)) {
            return EVAL_FAILED;
        }
    }
    bind(e, tile);
    do {
        if (!run_slice(e, tile, AS_MIN(seconds, SLICE_S), err)) {
            e->id = 0;
            return EVAL_FAILED;
        }
    } while (e->next_group < e->n_groups && clock_now_s() - start < seconds);
    if (e->next_group < e->n_groups) {
        return EVAL_MORE;
    }
    size_t n = (size_t)values_of(tile->row1 - tile->row0, tile->side) *
               (size_t)values_of(tile->col1 - tile->col0, tile->side);
    glBindBuffer(GL_SHADER_STORAGE_BUFFER, e->buffers[BINDING_VALUES]);
    glGetBufferSubData(GL_SHADER_STORAGE_BUFFER, 0, (GLsizeiptr)(n * sizeof(float)), out);
    e->id = 0;
    return gl_ok("reading a tile", err) ? EVAL_DONE : EVAL_FAILED;
}

double evaluator_fraction(const Evaluator *e)
{
    return e->prepared && e->n_groups ? (double)e->next_group / (double)e->n_groups : 0;
}
