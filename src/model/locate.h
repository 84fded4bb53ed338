#pragma once
/*
 * From the words of a person to files: what MODEL names and where it is.
 */
#include "base/arena.h"

typedef enum LocationKind {
    LOCATION_EMBEDDED, /* path: prefix for base/embedded.h, "models/tiny/" */
    LOCATION_MADE,     /* path: the spec, "random:L=4" */
    LOCATION_FOLDER,   /* path: a folder in Hugging Face form */
    LOCATION_GGUF,     /* path: a .gguf file */
} LocationKind;

/** Strings are owned by the arena. */
typedef struct Location {
    LocationKind kind;
    const char *path;
    const char *name; /* short, for people */
} Location;

/** Finds what `spec` names (model.h says in which order). need_config: a folder without
 *  config.json is an error. Errors: ERR_IO, ERR_UNSUPPORTED (only a pickle). Any thread. */
AS_MUST_CHECK bool locate_model(const char *spec, bool need_config, Arena *arena,
                                Location *location, Error *err);

/** The folder of the local Hugging Face cache (it may not exist); NULL on ERR_MEMORY or where even
 *  HOME is not set (then no error is set). */
const char *locate_hub_cache(Arena *arena, Error *err);
/** The newest snapshot in a cache folder "models--ORG--NAME"; NULL when there is none. */
const char *locate_snapshot(const char *folder, Arena *arena, Error *err);
