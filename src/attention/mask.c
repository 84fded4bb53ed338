#include "attention/plan.h"

/* The interval of one row; from may pass to. Both grow with the row. */
static void raw_range(const AttnMask *mask, int32_t n_keys, int32_t row, int64_t *from, int64_t *to)
{
    int64_t position = (int64_t)row + mask->q_offset;
    bool padded = mask->n_valid_keys > 0 && mask->n_valid_keys < n_keys;
    *from = 0;
    *to = padded ? mask->n_valid_keys : n_keys;
    if (mask->kind & ATTN_MASK_CAUSAL && *to > position + 1) {
        *to = position + 1;
    }
    if (mask->kind & ATTN_MASK_WINDOW && *from < position - mask->window + 1) {
        *from = position - mask->window + 1;
    }
    if (mask->kind & ATTN_MASK_WINDOW_SYMMETRIC) {
        int64_t half = mask->window / 2;
        *from = *from < position - half ? position - half : *from;
        *to = *to > position + half + 1 ? position + half + 1 : *to;
    }
}

static void clip_range(int64_t from, int64_t to, int32_t *begin, int32_t *end)
{
    *begin = from < to ? (int32_t)from : 0;
    *end = from < to ? (int32_t)to : 0;
}

void attn_mask_row_range(const AttnMask *mask, int32_t n_keys, int32_t row, int32_t *begin,
                         int32_t *end)
{
    int64_t from, to;
    raw_range(mask, n_keys, row, &from, &to);
    clip_range(from, to, begin, end);
}

void attn_mask_hull(const AttnMask *mask, int32_t n_keys, int32_t row0, int32_t n_rows,
                    int32_t *begin, int32_t *end)
{
    int64_t from, to, unused;
    raw_range(mask, n_keys, row0, &from, &unused);
    raw_range(mask, n_keys, row0 + n_rows - 1, &unused, &to);
    clip_range(from, to, begin, end);
}

bool attn_mask_visible(const AttnMask *mask, int32_t n_keys, int32_t row, int32_t col)
{
    int32_t begin, end;
    attn_mask_row_range(mask, n_keys, row, &begin, &end);
    return col >= begin && col < end && (!mask->key_mask || mask->key_mask[col] != 0);
}

int64_t attn_mask_visible_pairs(const AttnMask *mask, int32_t n_queries, int32_t n_keys)
{
    int64_t pairs = 0;
    for (int32_t row = 0; row < n_queries; row++) {
        int32_t begin, end;
        attn_mask_row_range(mask, n_keys, row, &begin, &end);
        pairs += end - begin;
    }
    return pairs;
}
