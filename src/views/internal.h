#pragma once
/*
 * What the files of this folder share.
 */
#include "ui/controls.h"
#include "ui/formula.h"
#include "ui/text_field.h"
#include "ui/widgets.h"
#include "views/flow.h"
#include "views/heads.h"
#include "views/matrix.h"
#include "views/overview.h"
#include "views/palette.h"
#include "views/stack.h"
#include "views/views.h"

enum {
    RAIL_PX = 88,
    TOP_PX = 56,
    TRANSPORT_PX = 56,
    STATUS_PX = 28,
    INSPECTOR_PX = 320,
    FOLDED_PX = 40,
    STORY_PX = 156 /* card of a story, below the stage */
};

/* What the open panel keeps while it is open (chrome_open.c). Zero is closed. */
typedef struct OpenPanel {
    uint64_t opened;   /* session->open_opened when it began */
    uint64_t failed;   /* session->open_failed that was seen */
    UiId asked_by;     /* field that what is on its way was typed into */
    double asked_s;    /* when */
    char path[1024];   /* what stands in the field */
    char *text;        /* what stands in the area; owned */
    UiScroll scroll;   /* of the recent ones */
    Arena arena;       /* of the names below */
    char folder[1024]; /* whose names are listed */
    char **names;
    size_t n_names;
} OpenPanel;

struct Views {
    ViewsDesc desc;
    MatrixView matrix;
    OverviewView overview;
    HeadsView heads;
    Palette palette;
    OpenPanel open;
    UiScroll keys_scroll;     /* of the list of keys */
    bool stories_seen;        /* the list of stories is open and has had the focus */
    void *states[VIEW_COUNT]; /* view_state */
    bool settled;             /* everything in the last frame was exact */

    Arena model_arena; /* of the list below */
    ModelListing *models;
    size_t n_models;
    bool models_listed;

    Fold fold_first;        /* opened last: gets room before the others */
    float temperature_held; /* while the slider is dragged; 0 = not */
};

/* Parts of the window. Each draws in its box. */
void chrome_rail(ViewContext *c, Rect box);
void chrome_top(ViewContext *c, Rect box);
void chrome_model_menu(ViewContext *c, Rect box);
/** The card of the story that is open. */
void chrome_story(ViewContext *c, Rect bar);
/** Stories to choose from, and the height they take. */
void stories_list(ViewContext *c, Rect box);
float stories_list_height(Session *session);
void chrome_transport(ViewContext *c, Rect box);
void chrome_status(ViewContext *c, Rect box);
void chrome_inspector(ViewContext *c, Rect box);
void chrome_inspector_folded(ViewContext *c, Rect box);

/** What lies over the window (session->panel). */
void chrome_panel(ViewContext *c, Rect window);

/** Dialog with a path, a text and what was shown before (session->panel). */
void chrome_open(ViewContext *c, Rect window);
void chrome_open_free(OpenPanel *panel);
/** Command palette (session->panel), above everything in the window. */
void chrome_palette(ViewContext *c, Rect window);

/* What the stage shows when there is no view to show. */
void stage_not_built(ViewContext *c, Rect stage, ViewId id);
void stage_loading(ViewContext *c, Rect stage);
void stage_error(ViewContext *c, Rect stage);
/** The layer in front is still being computed. */
void stage_layer_pending(ViewContext *c, Rect stage);
/** The view shows how weights come about, and these were imported. */
void stage_weights_only(ViewContext *c, Rect stage);

/** The patch of the picture that a token is (picture.c); false where it is none. */
bool draw_patch(ViewContext *c, Rect box, int32_t token);
/** The picture with what a query reads of it: row [M] of weights, the most read in full light. */
void draw_picture_attention(ViewContext *c, Rect box, int32_t query, const float *row);

/* Small things. */
/** Token label into the frame's arena. */
const char *label_of(ViewContext *c, int32_t token);
/** The same of a key token (column), which is of another text in cross attention. */
const char *key_label_of(ViewContext *c, int32_t key);
Color pattern_color(Pattern pattern);
Color token_color(const ViewContext *c, int32_t token);
/** Of a key token: equal tokens on both sides are equal in colour. */
Color key_token_color(const ViewContext *c, int32_t key);
Colormap weight_map(const Ui *ui);
Scale weight_scale(const Session *session);
/** One true sentence about the selected weight at the chosen level, in the frame's arena. */
const char *words_about(ViewContext *c, const Reading *reading);
