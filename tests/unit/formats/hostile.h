#pragma once
/* Files of tensors from outside that are not what they should be. */
#include "formats/tensor_file.h"
#include "testing.h"

#include "bytes.h"

/** No prefix of a good file is a file, and no byte changed to one of these makes the reader step
 * out of its bytes (which the sanitizers see). The name says by its end what kind of file it is. */
static inline void check_cut_or_changed(const char *name, const StrBuf *good,
                                        const unsigned char *changes, size_t n_changes)
{
    for (size_t n = 0; n < good->n; n++) {
        unsigned char *copy = exact_copy(good->text, n);
        Error err = {0};
        assert_null(tensor_file_open_memory(name, copy, n, &err));
        assert_true(err.code != ERR_NONE && err.message[0]);
        free(copy);
    }
    for (size_t i = 0; i < good->n * n_changes; i++) {
        unsigned char *copy = exact_copy(good->text, good->n);
        copy[i / n_changes] = changes[i % n_changes];
        TensorFile *file = tensor_file_open_memory(name, copy, good->n, NULL);
        for (size_t t = 0; file && t < tensor_file_count(file); t++) {
            assert_true(tensor_file_at(file, t)->n_bytes <= good->n);
        }
        tensor_file_close(&file);
        free(copy);
    }
}
