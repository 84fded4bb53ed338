#pragma once
/*
 * Reads an ArchConfig from config.json or from GGUF metadata, by the fields of an Arch.
 */
#include "formats/config.h"
#include "formats/tensor_file.h"
#include "model/arch.h"

/** Where a config is read from: one of json and gguf. Borrowed. */
struct ArchSource {
    const Config *json;
    const TensorFile *gguf;
    const char *prefix; /* of GGUF keys, "llama" */
    size_t prefix_n;
    const char *name; /* file, for messages */
};

/** Fills *config from the fields of arch, runs its finish, derives what is left (kv heads, head
 *  width, rotary width) and checks that the numbers fit together. Errors: ERR_FORMAT,
 *  ERR_UNSUPPORTED. */
AS_MUST_CHECK bool arch_config_read(const Arch *arch, const ArchSource *source, ArchConfig *config,
                                    Error *err);
/** The same checks and derivations for a config made by hand (made-up models). */
AS_MUST_CHECK bool arch_config_complete(const Arch *arch, const char *name, ArchConfig *config,
                                        Error *err);

/* For finish functions. `hf` may be "a|b.c" (alternatives, members); `gguf` has no prefix; either
 * may be NULL. Absent leaves *out as it is. */

AS_MUST_CHECK bool arch_source_number(const ArchSource *source, const char *hf, const char *gguf,
                                      double lo, double hi, double *out, Error *err);
AS_MUST_CHECK bool arch_source_bool(const ArchSource *source, const char *hf, bool *out,
                                    Error *err);
/** Borrowed until the source closes; *n bytes. Absent: *text NULL. */
AS_MUST_CHECK bool arch_source_string(const ArchSource *source, const char *hf, const char *gguf,
                                      const char **text, size_t *n, Error *err);
/** The JSON value under a path, NULL when absent or when the source is GGUF. */
const cJSON *arch_source_json(const ArchSource *source, const char *hf);

/** Scaling of rotary positions as all LLaMA-like families write it (rope_scaling,
 *  rope_parameters, rope.scaling.*). ERR_UNSUPPORTED names a kind that is not known. */
AS_MUST_CHECK bool arch_finish_rotary(const ArchSource *source, ArchConfig *config, Error *err);
/** Which layers see all keys, from layer_types of config.json. Absent changes nothing. */
AS_MUST_CHECK bool arch_finish_layer_types(const ArchSource *source, ArchConfig *config,
                                           Error *err);
