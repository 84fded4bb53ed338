#include "views/stack.h"

#include <math.h>
#include <string.h>

#include "views/internal.h"

void stack_timeline(Views *views, const Session *session, Timeline *timeline)
{
    (void)views;
    *timeline = (Timeline){.length_s = STACK_LAYER_S,
                           .n_steps = trace_info(session->trace)->n_layers,
                           .steps_layers = true};
}

const ViewCommand stack_commands[] = {
    {"zoom", "in|out", "nearer to the stack, or farther away"},
    {"fit", "", "show the whole stack"},
    {0},
};

bool stack_command(Views *views, Session *session, const char *name, const char *arguments,
                   Error *err)
{
    (void)views;
    (void)err;
    if (strcmp(name, "zoom") == 0) {
        bool in = strcmp(arguments, "in") == 0;
        if (in || strcmp(arguments, "out") == 0) {
            session_post(session, "stack-zoom %g", in ? 1.25 : 0.8);
            return true;
        }
    }
    if (strcmp(name, "fit") == 0) {
        session_post(session, "stack-camera %s", stack_preset_name(session->stack3d.camera.preset));
        return true;
    }
    return false;
}

void stack_free(void *state)
{
    StackView *v = state;
    mem_free(v->groups);
    mem_free(v->fine.values);
    v->groups = NULL;
    v->fine.values = NULL;
}

void stack_draw(ViewContext *c, Rect stage)
{
    StackModel *m = ARENA_NEW(&c->ui->list->arena, StackModel, NULL);
    if (!m || !stack_model_make(m, c, stage)) {
        stage_layer_pending(c, stage);
        return;
    }
    m->fine = stack_fine(m);
    stack_scene_draw(m);
    stack_labels_draw(m);
    stack_side_draw(m);
    stack_pointer(m);
    c->views->settled &= session_stack_settled(c->session);
}
