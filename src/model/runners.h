#pragma once
/*
 * GGUF files that programs which run models locally have put on the disk, by the names those give
 * them: Ollama's manifests, the folders of LM Studio and GPT4All, the cache of llama.cpp. Nothing
 * is read but names and small manifests. Any thread.
 */
#include "base/arena.h"

typedef struct RunnerModel {
    const char *name;  /* "llama3.2", "llama3.2:1b", "publisher/repo/file" */
    const char *where; /* "Ollama"; static */
    const char *path;  /* of the .gguf (Ollama's have no ending) */
} RunnerModel;

/** All that are found, in order of the programs; what cannot be read is passed over. A folder that
 *  links lead to in many ways is listed by the first of them. */
AS_MUST_CHECK bool runners_list(Arena *arena, RunnerModel **models, size_t *n, Error *err);
/** The one of this name; path stays NULL when there is none. The first of several counts. */
AS_MUST_CHECK bool runners_find(const char *name, Arena *arena, RunnerModel *model, Error *err);
