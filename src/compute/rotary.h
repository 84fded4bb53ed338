#pragma once
/*
 * Rotary positions (Su et al. 2021, arXiv:2104.09864) on heads in Hugging Face order: dimension d
 * turns together with d + W/2, where W is the rotary width (the first W of D dimensions).
 */
#include "base/arena.h"

typedef enum RotaryScaling {
    ROTARY_SCALING_NONE,
    ROTARY_SCALING_LINEAR, /* every frequency / factor (Chen et al. 2023, arXiv:2306.15595) */
    ROTARY_SCALING_LLAMA3, /* low frequencies / factor, high ones kept, smooth between (LLaMA 3.1)
                            */
} RotaryScaling;

/** Zero is no scaling. */
typedef struct RotaryDesc {
    int32_t width; /* W, even */
    double theta;  /* base of the frequencies, 10000 mostly */
    RotaryScaling scaling;
    double factor;
    double low_freq_factor, high_freq_factor; /* LLAMA3 */
    double original_positions;                /* LLAMA3 */
    const float *divisors; /* [W/2] each frequency is divided by it (GGUF's rope_freqs); or NULL */
    double magnitude;      /* cosines and sines are multiplied by it; 0 = 1 */
    int32_t first;         /* position of the table's first row */
} RotaryDesc;

/** W/2 frequencies in float32, by the steps of float32 that transformers takes, so that far
 *  positions turn by the same rounded angle. Any thread. */
void rotary_frequencies(const RotaryDesc *desc, float *frequencies);

/** Turns of n positions from the desc's first on. */
typedef struct RotaryTable {
    int32_t n_positions, half;  /* half = W/2 */
    const float *cosine, *sine; /* [n_positions, half], borrowed from the arena given */
} RotaryTable;

/** 8 * n_positions * W/2 bytes in the arena. Threads  n_threads, 0 = all. */
AS_MUST_CHECK bool rotary_table_make(RotaryTable *table, const RotaryDesc *desc,
                                     int32_t n_positions, Arena *arena, int n_threads, Error *err);

/**
 * Moves heads out of the rows of a linear layer into packed heads, turning them on the way.
 *
 *   source       [n_rows, n_heads, D], row stride source_stride
 *   target       [n_heads, n_tokens, D]; rows row0 .. row0 + n_rows of each head are written
 *   table        NULL = no turn
 *   interleaved  source pairs are (2i, 2i+1), as GGUF keeps LLaMA's q and k; they come out in
 *                Hugging Face order, also with table NULL
 */
typedef struct RotaryMove {
    const float *source;
    float *target;
    const RotaryTable *table;
    ptrdiff_t source_stride;
    int32_t row0, n_rows, n_tokens, n_heads, head_width;
    bool interleaved;
} RotaryMove;

/** Source and target must not overlap. Threads  n_threads, 0 = all.
 *  Test  tests/unit/compute/test_rotary.c */
void rotary_move_heads(const RotaryMove *move, int n_threads);
