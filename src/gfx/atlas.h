#pragma once
/*
 * One texture that holds many small pictures: rows ("shelves") of similar height, and a table from
 * keys to places. When it is full it starts anew. Main thread, context current.
 */
#include "base/arena.h"

/** What a picture is of; the caller sees to it that different pictures have different keys. */
typedef struct AtlasKey {
    uint64_t a, b;
} AtlasKey;

/** Where it is. left, top: of the picture from the pen (glyphs). */
typedef struct AtlasSlot {
    AtlasKey key;
    int32_t x, y, w, h; /* w = 0: known to be empty */
    int32_t left, top;
    bool used;
} AtlasSlot;

typedef struct AtlasShelf {
    int32_t y, height, x; /* next free column */
} AtlasShelf;

typedef struct Atlas {
    uint32_t texture; /* GL name */
    int32_t side;
    bool is_float; /* R32F instead of R8 */
    ARRAY_OF(AtlasShelf) shelves;
    AtlasSlot *slots; /* open addressing, owned */
    size_t capacity, n_slots;
    int64_t uploaded_bytes;
} Atlas;

AS_MUST_CHECK bool atlas_create(Atlas *atlas, int32_t side, bool is_float, Error *err);
void atlas_destroy(Atlas *atlas);
/** NULL when it is not there. Borrowed until the next put or reset. */
const AtlasSlot *atlas_find(const Atlas *atlas, AtlasKey key);
/** Puts w x h values (bytes or floats) in. NULL when there is no room: reset and try again. */
const AtlasSlot *atlas_put(Atlas *atlas, AtlasKey key, int32_t w, int32_t h, const void *pixels,
                           int32_t left, int32_t top);
/** Could an empty atlas hold w x h at all? */
bool atlas_fits(const Atlas *atlas, int32_t w, int32_t h);
/** Forgets all pictures. What is drawn later must be put in again. */
void atlas_reset(Atlas *atlas);
