#include "base/embedded.h"

#include <string.h>

static EmbeddedFile row_file(const EmbeddedRow *row)
{
    return (EmbeddedFile){
        .name = row->name, .data = row->data, .n_bytes = (size_t)(row->end - row->data)};
}

bool embedded_find(const char *name, EmbeddedFile *file)
{
    for (const EmbeddedRow *row = as_embedded_rows; row->name; row++) {
        if (strcmp(row->name, name) == 0) {
            *file = row_file(row);
            return true;
        }
    }
    return false;
}

bool embedded_next(const char *prefix, size_t index, EmbeddedFile *file)
{
    for (const EmbeddedRow *row = as_embedded_rows; row->name; row++) {
        if (strncmp(row->name, prefix, strlen(prefix)) == 0 && index-- == 0) {
            *file = row_file(row);
            return true;
        }
    }
    return false;
}
