#include "gfx/atlas.h"

#include <glad/gl.h>
#include <string.h>

bool atlas_create(Atlas *atlas, int32_t side, bool is_float, Error *err)
{
    *atlas = (Atlas){.side = side, .is_float = is_float, .capacity = 1024};
    atlas->slots = mem_alloc_zeroed(atlas->capacity, sizeof(*atlas->slots), err);
    if (!atlas->slots) {
        return false;
    }
    glGenTextures(1, &atlas->texture);
    glBindTexture(GL_TEXTURE_2D, atlas->texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
    glTexImage2D(GL_TEXTURE_2D, 0, is_float ? GL_R32F : GL_R8, side, side, 0, GL_RED,
                 is_float ? GL_FLOAT : GL_UNSIGNED_BYTE, NULL);
    return true;
}

void atlas_destroy(Atlas *atlas)
{
    if (atlas->texture) {
        glDeleteTextures(1, &atlas->texture);
    }
    mem_free(atlas->slots);
    ARRAY_FREE(&atlas->shelves);
    *atlas = (Atlas){0};
}

static AtlasSlot *slot_for(AtlasSlot *slots, size_t capacity, AtlasKey key)
{
    uint64_t h = (key.a ^ (key.b * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    size_t i = (size_t)(h ^ (h >> 32)) & (capacity - 1);
    while (slots[i].used && (slots[i].key.a != key.a || slots[i].key.b != key.b)) {
        i = (i + 1) & (capacity - 1);
    }
    return &slots[i];
}

const AtlasSlot *atlas_find(const Atlas *atlas, AtlasKey key)
{
    const AtlasSlot *slot = slot_for(atlas->slots, atlas->capacity, key);
    return slot->used ? slot : NULL;
}

static bool grow(Atlas *atlas)
{
    size_t capacity = atlas->capacity * 2;
    AtlasSlot *slots = mem_alloc_zeroed(capacity, sizeof(*slots), NULL);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < atlas->capacity; i++) {
        if (atlas->slots[i].used) {
            *slot_for(slots, capacity, atlas->slots[i].key) = atlas->slots[i];
        }
    }
    mem_free(atlas->slots);
    atlas->slots = slots;
    atlas->capacity = capacity;
    return true;
}

/* The lowest shelf that is high enough without wasting more than a third, else a new one. */
static bool place(Atlas *atlas, int32_t w, int32_t h, int32_t *x, int32_t *y)
{
    int32_t bottom = 0;
    for (size_t i = 0; i < atlas->shelves.n; i++) {
        AtlasShelf *s = &atlas->shelves.items[i];
        if (h <= s->height && s->height <= h + h / 2 + 2 && s->x + w <= atlas->side) {
            *x = s->x;
            *y = s->y;
            s->x += w;
            return true;
        }
        bottom = s->y + s->height;
    }
    int32_t height = AS_MIN((h + 3) / 4 * 4, atlas->side);
    AtlasShelf fresh = {.y = bottom, .height = height, .x = w};
    if (bottom + height > atlas->side || w > atlas->side ||
        !ARRAY_PUSH(&atlas->shelves, fresh, NULL)) {
        return false;
    }
    *x = 0;
    *y = bottom;
    return true;
}

bool atlas_fits(const Atlas *atlas, int32_t w, int32_t h)
{
    return w <= atlas->side && h <= atlas->side;
}

const AtlasSlot *atlas_put(Atlas *atlas, AtlasKey key, int32_t w, int32_t h, const void *pixels,
                           int32_t left, int32_t top)
{
    AtlasSlot slot = {.key = key, .w = w, .h = h, .left = left, .top = top, .used = true};
    if ((atlas->n_slots + 1) * 2 > atlas->capacity && !grow(atlas)) {
        return NULL;
    }
    if (w > 0 && h > 0) {
        if (!place(atlas, w, h, &slot.x, &slot.y)) {
            return NULL;
        }
        glBindTexture(GL_TEXTURE_2D, atlas->texture);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
        glTexSubImage2D(GL_TEXTURE_2D, 0, slot.x, slot.y, w, h, GL_RED,
                        atlas->is_float ? GL_FLOAT : GL_UNSIGNED_BYTE, pixels);
        atlas->uploaded_bytes += (int64_t)w * h * (atlas->is_float ? 4 : 1);
    }
    AtlasSlot *place_in = slot_for(atlas->slots, atlas->capacity, key);
    atlas->n_slots += place_in->used ? 0 : 1;
    *place_in = slot;
    return place_in;
}

void atlas_reset(Atlas *atlas)
{
    memset(atlas->slots, 0, atlas->capacity * sizeof(*atlas->slots));
    atlas->n_slots = 0;
    atlas->shelves.n = 0;
}
