#pragma once
/*
 * What the command palette finds: commands with their choices, views, models, tokens, heads. Every
 * entry is a command line; choosing it posts that line.
 */
#include "registry/fuzzy.h"
#include "ui/controls.h"
#include "views/views.h"

typedef enum PaletteKind {
    PALETTE_PLACE, /* a head or token that was named: "17.3" */
    PALETTE_VIEW,
    PALETTE_COMMAND,
    PALETTE_MODEL,
    PALETTE_TOKEN,
    PALETTE_HEAD,
    PALETTE_TEXT, /* one that was shown before */
    PALETTE_KIND_COUNT
} PaletteKind;

typedef struct PaletteEntry {
    PaletteKind kind;
    const char *title;  /* "Matrix", "layer N", "L17 H3" */
    const char *detail; /* what it does */
    const char *key;    /* "Ctrl+K"; "" = none */
    const char *line;   /* the command; with `asks`: its name, to be completed */
    bool asks;          /* it needs arguments first */
    FuzzyMatch match;   /* in the title */
    int score;
    int order;   /* of equal scores */
    Color color; /* of a token or head; transparent = none */
    Icon icon;   /* where there is no colour */
} PaletteEntry;

/** Everything in the frame's arena; best first. */
typedef struct PaletteResults {
    PaletteEntry *entries;
    size_t n;
    size_t n_tokens_more; /* tokens that match and are not listed */
    const char *missing;  /* why a head or token that was named is not listed; NULL = none was */
} PaletteResults;

/** What the palette keeps while it is open. Zero is closed. */
typedef struct Palette {
    uint64_t opened;                     /* session->palette_opened when it began */
    char before[256];                    /* what was typed in the last pass */
    int hot;                             /* entry under the keys */
    float scroll;                        /* px */
    bool follow;                         /* the list scrolls to `hot` */
    Arena arena;                         /* of the models */
    const char **models, **model_places; /* [n_models] */
    size_t n_models;
} Palette;

void palette_free(Palette *palette);
/** Looks which models are there. When it opens. */
void palette_list_models(Palette *palette, const char *model_cache);
/** What matches `typed` now. */
PaletteResults palette_find(ViewContext *c, const char *typed);
/** "View", "Command", …: what kind of thing an entry is. */
const char *palette_kind_name(PaletteKind kind);
