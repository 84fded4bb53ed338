#include "compute/rotary.h"

#include <math.h>
#include <string.h>

#include "compute/threads.h"

/* Wave lengths beyond `low` are stretched by the factor, those under `high` are kept, those
 * between are blended. Source: LLaMA 3.1's reference code as its configs describe it. */
static float scale_llama3(const RotaryDesc *d, float frequency)
{
    const double wave = 2.0 * 3.14159265358979323846 / (double)frequency;
    const double low = d->original_positions / d->low_freq_factor;
    const double high = d->original_positions / d->high_freq_factor;
    if (wave > low) {
        return (float)((double)frequency / d->factor);
    }
    if (wave < high) {
        return frequency;
    }
    const double smooth = (d->original_positions / wave - d->low_freq_factor) /
                          (d->high_freq_factor - d->low_freq_factor);
    return (float)((1.0 - smooth) * (double)frequency / d->factor + smooth * (double)frequency);
}

void rotary_frequencies(const RotaryDesc *desc, float *frequencies)
{
    for (int32_t i = 0; i < desc->width / 2; i++) {
        const float exponent = (float)(2 * i) / (float)desc->width;
        float f = 1.0f / (float)pow(desc->theta, (double)exponent);
        switch (desc->scaling) {
        case ROTARY_SCALING_NONE:
            break;
        case ROTARY_SCALING_LINEAR:
            f = (float)((double)f / desc->factor);
            break;
        case ROTARY_SCALING_LLAMA3:
            f = scale_llama3(desc, f);
            break;
        }
        frequencies[i] = desc->divisors ? f / desc->divisors[i] : f;
    }
}

bool rotary_table_make(RotaryTable *table, const RotaryDesc *desc, int32_t n_positions,
                       Arena *arena, int n_threads, Error *err)
{
    const int32_t half = desc->width / 2;
    size_t n;
    if (n_positions < 0 || half < 1 || !checked_mul((size_t)n_positions, (size_t)half, &n)) {
        return error_set(err, ERR_RANGE, "rotary table of %d positions and width %d", n_positions,
                         desc->width);
    }
    float *frequencies = ARENA_ARRAY(arena, float, (size_t)half, err);
    float *cosine = frequencies ? ARENA_ARRAY(arena, float, n, err) : NULL;
    float *sine = cosine ? ARENA_ARRAY(arena, float, n, err) : NULL;
    if (!sine) {
        return false;
    }
    rotary_frequencies(desc, frequencies);
    const float magnitude = desc->magnitude > 0 ? (float)desc->magnitude : 1.0f;
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int32_t p = 0; p < n_positions; p++) {
        for (int32_t i = 0; i < half; i++) {
            const float angle = (float)(desc->first + p) * frequencies[i];
            cosine[(ptrdiff_t)p * half + i] = cosf(angle) * magnitude;
            sine[(ptrdiff_t)p * half + i] = sinf(angle) * magnitude;
        }
    }
    *table = (RotaryTable){n_positions, half, cosine, sine};
    return true;
}

static void move_head(const RotaryMove *m, const float *from, float *to, int32_t position)
{
    const int32_t half = m->table ? m->table->half : m->interleaved ? m->head_width / 2 : 0;
    const int32_t step = m->interleaved ? 2 : 1;
    const int32_t other = m->interleaved ? 1 : half;
    if (m->table) {
        const float *cosine = m->table->cosine + (ptrdiff_t)position * half;
        const float *sine = m->table->sine + (ptrdiff_t)position * half;
        for (int32_t i = 0; i < half; i++) {
            const float a = from[i * step], b = from[i * step + other];
            to[i] = a * cosine[i] - b * sine[i];
            to[i + half] = b * cosine[i] + a * sine[i];
        }
    } else {
        for (int32_t i = 0; i < half; i++) {
            to[i] = from[i * step];
            to[i + half] = from[i * step + other];
        }
    }
    memcpy(to + 2 * half, from + 2 * half, (size_t)(m->head_width - 2 * half) * sizeof *to);
}

void rotary_move_heads(const RotaryMove *move, int n_threads)
{
    const RotaryMove m = *move;
    AS_ASSERT(!m.table ||
              (2 * m.table->half <= m.head_width && m.row0 + m.n_rows <= m.table->n_positions));
#pragma omp parallel for num_threads(compute_threads(n_threads)) schedule(static)
    for (int32_t r = 0; r < m.n_rows; r++) {
        for (int32_t h = 0; h < m.n_heads; h++) {
            const ptrdiff_t to = ((ptrdiff_t)h * m.n_tokens + m.row0 + r) * m.head_width;
            move_head(&m, m.source + r * m.source_stride + (ptrdiff_t)h * m.head_width,
                      m.target + to, m.row0 + r);
        }
    }
}
