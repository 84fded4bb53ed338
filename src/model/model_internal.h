#pragma once
/*
 * What the files of src/model share: the insides of a Model.
 */
#include "formats/config.h"
#include "model/arch_config.h"
#include "model/locate.h"
#include "model/weights.h"

struct Model {
    Arena arena; /* strings, vectors, made-up weights */
    ModelInfo info;
    ModelPart main;    /* with the prediction head; no arch where only the tokenizer was needed */
    ModelPart encoder; /* of encoder-decoders; else without an arch */
    bool bound;        /* weights may be used */
    TensorFile *file;  /* owned; NULL = none */
    Config json;       /* owned */
};

/** Checks that the model's weights are there. ERR_IO says which model lacks them. */
AS_MUST_CHECK bool model_check_bound(const Model *model, Error *err);

/** Fills the config and recipe of a made-up model from its spec "random:L=4,H=8,d=64,seed=1".
 *  ERR_USAGE names the key that is not known or out of range, and the known ones. */
AS_MUST_CHECK bool made_parse(const char *spec, const Arch **arch, ArchConfig *config,
                              WeightsRecipe *recipe, Error *err);
