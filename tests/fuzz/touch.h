#pragma once
/*
 * Uses everything that an accepted tensor file offers: what open let through must be readable to
 * its last byte.
 */
#include "formats/tensor_file_internal.h"

#include <stdlib.h>
#include <string.h>

static inline void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* A sum that the optimiser cannot leave out. */
static inline void touch_bytes(const void *bytes, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += ((const unsigned char *)bytes)[i];
    }
    __asm__ volatile("" : : "r"(sum));
}

static inline void touch_meta(const TensorFile *file, const MetaValue *value)
{
    require(tensor_file_meta(file, value->key) == value);
    Error err = {0};
    Arena arena = {0};
    int64_t i;
    double d;
    bool b;
    TextView text;
    const TextView *texts;
    int64_t *ints;
    float *floats;
    size_t n;
    bool any = tensor_file_get_int(file, value->key, INT64_MIN, INT64_MAX, 0, &i, &err);
    any |= tensor_file_get_number(file, value->key, 0, &d, &err);
    any |= tensor_file_get_bool(file, value->key, false, &b, &err);
    if (tensor_file_get_string(file, value->key, &text, &err)) {
        touch_bytes(text.text, text.n);
        any = true;
    }
    if (tensor_file_get_strings(file, value->key, &texts, &n, &err)) {
        for (size_t k = 0; k < n; k++) {
            touch_bytes(texts[k].text, texts[k].n);
        }
        any = true;
    }
    any |= tensor_file_get_ints(file, value->key, &arena, &ints, &n, &err);
    any |= tensor_file_get_floats(file, value->key, &arena, &floats, &n, &err);
    require(any || err.message[0]);
    arena_destroy(&arena);
}

static inline int touch_tensor_file(const uint8_t *data, size_t n_bytes)
{
    Error err = {0};
    TensorFile *file = tensor_file_open_memory("fuzzed", data, n_bytes, &err);
    require((file != NULL) == (err.code == ERR_NONE));
    if (!file) {
        require(err.message[0] && !strchr(err.message, '\n'));
        return 0;
    }
    for (size_t i = 0; i < tensor_file_count(file); i++) {
        const TensorView *view = tensor_file_at(file, i);
        require(tensor_file_find(file, view->name) == view);
        require(tensor_file_need(file, view->name, view->n_dims, view->shape, &err) == view);
        touch_bytes(view->data, view->n_bytes);
    }
    for (size_t i = 0; i < tensor_file_meta_count(file); i++) {
        touch_meta(file, tensor_file_meta_at(file, i));
    }
    tensor_file_close(&file);
    return 0;
}
