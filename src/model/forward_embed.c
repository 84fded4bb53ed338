/*
 * What enters the first layer: tokens with their positions and types, or patches of a picture.
 */
#include "model/forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute/rows.h"

/* Row of the position table for token `row`, after *placed tokens that were counted. */
static int64_t position_row(const Pass *p, int32_t row, int32_t *placed)
{
    const int64_t offset = p->config->position_offset;
    if (p->config->pads_unplaced && p->ids && p->ids[row] == offset - 1) {
        return offset - 1;
    }
    return offset + (*placed)++;
}

/* Sines of the even half of the frequencies, then cosines of the odd one, as fairseq and Marian lay
 * them out. */
static void sinusoid_row(int64_t position, int32_t width, float *out)
{
    const int32_t sines = (width + 1) / 2;
    for (int32_t i = 0; i < width; i++) {
        const int32_t j = i < sines ? 2 * i : 2 * (i - sines) + 1;
        const double angle = (double)position / pow(10000.0, 2.0 * (double)(j / 2) / width);
        out[i] = (float)(i < sines ? sin(angle) : cos(angle));
    }
}

/* out += types + positions of a token; other is scratch for a row. */
static bool add_places(const Pass *p, int32_t row, int64_t position, float *out, float *other)
{
    const int32_t width = (int32_t)p->config->width;
    const Weight *positions = &pass_role(p, 0, ROLE_POSITIONS)->matrix;
    const Weight *types = &pass_role(p, 0, ROLE_TYPES)->matrix;
    if (types->view) {
        if (!weight_row(types, p->type_ids ? p->type_ids[row] : 0, other, NULL)) {
            return false;
        }
        rows_add(out, width, other, width, 1, width, 1);
    }
    if (positions->view) {
        if (!weight_row(positions, position, other, NULL)) {
            return false;
        }
        rows_add(out, width, other, width, 1, width, 1);
    } else if (p->part->arch->positions == ARCH_POSITIONS_SINUSOID) {
        sinusoid_row(position, width, other);
        rows_add(out, width, other, width, 1, width, 1);
    }
    return true;
}

static bool unreadable(const Pass *p, Error *err)
{
    return error_set(err, ERR_FORMAT, "%s: embedding tables cannot be expanded",
                     p->model->info.name);
}

/* Rows [row0, row0 + rows) of the token table, scaled, into out [rows, E]. */
static bool take_tokens(const Pass *p, int32_t row0, int32_t rows, float *out, Error *err)
{
    const ArchConfig *c = p->config;
    const float scale = c->embedding_scale > 0 ? (float)c->embedding_scale : 1.0f;
    const int32_t width = (int32_t)c->embedding_width;
    for (int32_t r = 0; r < rows; r++, out += width) {
        if (!weight_row(&pass_role(p, 0, ROLE_TOKENS)->matrix, p->ids[row0 + r], out, NULL)) {
            return unreadable(p, err);
        }
        for (int32_t i = 0; i < width; i++) {
            out[i] *= scale;
        }
    }
    return true;
}

static bool embed_tokens(const Pass *p, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_PROJECT_IN};
    const int32_t width = (int32_t)p->config->width;
    const bool projects = pass_role(p, 0, ROLE_PROJECT_IN)->matrix.view;
    Stage stage;
    if (!projects) {
        return take_tokens(p, 0, p->n, p->x, err);
    }
    bool ok = pass_expand(p, 0, ROLES, 1, &stage, err);
    for (int32_t row0 = 0; ok && row0 < p->n; row0 += PASS_BLOCK_ROWS) {
        const int32_t rows = AS_MIN(PASS_BLOCK_ROWS, p->n - row0);
        ok = take_tokens(p, row0, rows, p->hidden, err) &&
             pass_linear(p, 0, ROLE_PROJECT_IN, &stage.floats[0], p->hidden,
                         p->x + (ptrdiff_t)row0 * width, rows, err);
    }
    return ok;
}

/* Pixels of patch `patch` as a row of the convolution's matrix: channel, then row, then column. */
static void take_patch(const Pass *p, int32_t patch, float *out)
{
    const int64_t side = p->config->image_side, size = p->config->patch_side;
    const int64_t across = side / size;
    const int64_t y0 = patch / across * size, x0 = patch % across * size;
    for (int64_t c = 0; c < p->config->n_channels; c++) {
        for (int64_t y = 0; y < size; y++, out += size) {
            memcpy(out, p->pixels + (c * side + y0 + y) * side + x0, (size_t)size * sizeof *out);
        }
    }
}

static bool embed_patches(const Pass *p, Error *err)
{
    static const ArchRole ROLES[] = {ROLE_PATCHES};
    const int32_t width = (int32_t)p->config->width;
    const RoleWeights *patches = pass_role(p, 0, ROLE_PATCHES);
    const float *class = pass_role(p, 0, ROLE_CLASS)->vector;
    const int32_t first = class ? 1 : 0;
    const int64_t columns = patches->matrix.columns;
    Stage stage;
    if (!pass_expand(p, 0, ROLES, 1, &stage, err)) {
        return false;
    }
    const int32_t n = p->n - first;
    const int32_t block = AS_MIN(n, PASS_BLOCK_ROWS);
    float *rows = mem_alloc((size_t)block * (size_t)columns * sizeof *rows, err);
    bool ok = rows;
    for (int32_t row0 = 0; ok && row0 < n; row0 += block) {
        const int32_t taken = AS_MIN(block, n - row0);
        for (int32_t r = 0; r < taken; r++) {
            take_patch(p, row0 + r, rows + r * columns);
        }
        ok = pass_linear(p, 0, ROLE_PATCHES, &stage.floats[0], rows,
                         p->x + (ptrdiff_t)(first + row0) * width, taken, err);
    }
    if (class) {
        memcpy(p->x, class, (size_t)width * sizeof *class);
    }
    mem_free(rows);
    return ok;
}

bool pass_embed(Pass *p, Error *err)
{
    const int32_t width = (int32_t)p->config->width;
    int32_t placed = p->cache ? p->cache->n_placed : 0;
    if (!(p->pixels ? embed_patches(p, err) : embed_tokens(p, err))) {
        return false;
    }
    for (int32_t row = 0; row < p->n; row++) {
        const int64_t position = position_row(p, row, &placed);
        if (!add_places(p, row, position, p->x + (ptrdiff_t)row * width, p->mixed)) {
            return unreadable(p, err);
        }
    }
    if (p->cache) {
        p->cache->n_placed = placed;
    }
    (void)pass_norm(p, 0, ROLE_EMBEDDING_NORM, p->x, p->x, p->n, width);
    return pass_fire(p,
                     &(TapEvent){.site = TAP_EMBEDDING,
                                 .place = {p->stack, 0},
                                 .data = p->x,
                                 .n_heads = 1,
                                 .n_rows = p->n,
                                 .width = width,
                                 .row_stride = width},
                     err);
}

/* ---------------------------------------------------------------- distances */

/* Which row of the table a distance takes: near ones have their own, further ones share in equal
 * steps of their logarithm. In float32, as the reference computes it. */
static int32_t bucket_of(const ModelPart *part, int32_t back)
{
    const bool both_ways = part->arch->stack == MODEL_STACK_ENCODER;
    const int32_t n = (int32_t)part->config.distance_buckets / (both_ways ? 2 : 1);
    const int32_t first = both_ways && back < 0 ? n : 0;
    const int32_t distance = both_ways ? abs(back) : AS_MAX(back, 0);
    const int32_t exact = n / 2;
    if (distance < exact) {
        return first + distance;
    }
    const double furthest = (double)part->config.furthest_distance;
    const float share = logf((float)distance / (float)exact) / (float)log(furthest / (double)exact);
    const float bucket = (float)exact + truncf(share * (float)(n - exact));
    return first + (int32_t)fminf(bucket, (float)(n - 1));
}

bool distance_bias_fill(const ModelPart *part, int32_t n, float *bias, Error *err)
{
    const Weight *table = &part->weights.roles[ROLE_DISTANCE_BIAS].matrix;
    const int64_t heads = part->config.n_heads, span = 2 * (int64_t)n - 1;
    float *row = mem_alloc((size_t)heads * sizeof *row, err);
    int32_t known = -1;
    for (int64_t at = 0; row && at < span; at++) {
        const int32_t bucket = bucket_of(part, (int32_t)(n - 1 - at));
        if (bucket != known && !weight_row(table, bucket, row, err)) {
            mem_free(row);
            return false;
        }
        known = bucket;
        for (int64_t h = 0; h < heads; h++) {
            bias[h * span + at] = row[h];
        }
    }
    mem_free(row);
    return row != NULL;
}
