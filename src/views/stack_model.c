#include "views/stack.h"

#include <math.h>

#include "views/internal.h"

static const float FOV_RAD = 0.34906585f; /* 20 degrees */
static const float RAD = 0.017453293f;
/* Nearer than this the lens narrows instead: the eye never enters the stack. */
static const float LEAST_DISTANCE = 3.2f;

float stack_key_x(const StackModel *m, float key)
{
    return STACK_WIDTH * ((key + 0.5f) / (float)m->n_keys - 0.5f);
}

float stack_query_z(const StackModel *m, float query)
{
    return STACK_DEPTH * ((query + 0.5f) / (float)m->n_queries - 0.5f);
}

Vec3 stack_stream_at(const StackModel *m, int32_t query, float y)
{
    if (m->cross) {
        return vec3_of(-STACK_WIDTH / 2, y, stack_query_z(m, (float)query));
    }
    return vec3_of(stack_key_x(m, (float)query), y, STACK_DEPTH / 2);
}

float stack_drop(const StackModel *m)
{
    return AS_MAX(0.8f * m->spacing * m->explode, 0.1f);
}

static float smooth(float t)
{
    t = AS_CLAMP(t, 0.0f, 1.0f);
    return t * t * (3 - 2 * t);
}

/* ---- planes ---- */

int32_t stack_shown_layers(const StackChoice *choice, int32_t n_layers, float stage_px,
                           int32_t *layers, int32_t most, int32_t *every)
{
    int32_t first = 0;
    int32_t last = n_layers - 1;
    int32_t step = 1;
    if (choice->planes == STACK_PLANES_EVERY || choice->planes == STACK_PLANES_GROUP) {
        step = AS_CLAMP(choice->every, 1, n_layers);
    } else if (choice->planes == STACK_PLANES_RANGE) {
        first = AS_CLAMP(choice->first, 0, n_layers - 1);
        last = AS_CLAMP(choice->last, first, n_layers - 1);
    } else if (choice->planes == STACK_PLANES_AUTO) {
        int32_t room = AS_CLAMP((int32_t)(stage_px / 78), 5, 14);
        step = (n_layers + room - 1) / room;
    }
    while ((last - first) / step + 1 > most) {
        step++;
    }
    *every = step;
    int32_t n = 0;
    for (int32_t l = first; l <= last; l += step) {
        layers[n++] = l;
    }
    return n;
}

float stack_height(float slot, float layer, float focus, float spacing, float explode)
{
    float d = layer - focus;
    float apart = STACK_BELOW * smooth(d + 1) + STACK_ABOVE * smooth(d);
    return (slot * spacing + apart) * explode;
}

/* Place of any layer among the planes shown. */
static float slot_of(const int32_t *layers, int32_t n, float layer, int32_t every)
{
    if (n == 1 || layer <= (float)layers[0]) {
        return (layer - (float)layers[0]) / (float)every;
    }
    for (int32_t i = 1; i < n; i++) {
        if (layer <= (float)layers[i]) {
            float span = (float)(layers[i] - layers[i - 1]);
            return (float)(i - 1) + (layer - (float)layers[i - 1]) / span;
        }
    }
    return (float)(n - 1) + (layer - (float)layers[n - 1]) / (float)every;
}

static void add_plane(StackModel *m, StackPlane plane)
{
    if (m->n_planes == STACK_PLANES_MOST) {
        return;
    }
    int32_t at = m->n_planes++;
    for (; at > 0 && m->planes[at - 1].y > plane.y; at--) {
        m->planes[at] = m->planes[at - 1];
    }
    m->planes[at] = plane;
}

static void place_planes(StackModel *m)
{
    const Session *s = m->c->session;
    int32_t layers[STACK_PLANES_MOST];
    int32_t n = stack_shown_layers(&s->stack3d, m->n_layers, m->stage.h, layers,
                                   STACK_PLANES_MOST - 1, &m->every);
    bool group = s->stack3d.planes == STACK_PLANES_GROUP && m->every > 1;
    m->spacing = AS_MIN(STACK_SPACING, 3.2f / (float)AS_MAX(n - 1, 1));
    for (int32_t i = 0; i < n; i++) {
        float l = (float)layers[i];
        float d = fabsf(l - m->focus);
        /* The sheet in focus stands for its layer, and among thinned ones for the nearest. */
        float e = (float)m->every;
        float alpha = group          ? 1
                      : m->every > 2 ? smooth((d - 0.4f * e) / (0.35f * e))
                                     : AS_MIN(d, 1.0f);
        if (alpha < 0.02f) {
            continue;
        }
        int32_t last = group ? AS_MIN(layers[i] + m->every, m->n_layers) - 1 : layers[i];
        float y =
            stack_height((float)i, group ? AS_MAX(l, AS_MIN(m->focus, (float)last)) + 0.5f : l,
                         m->focus, m->spacing, m->explode);
        add_plane(m, (StackPlane){.first = layers[i], .last = last, .y = y, .alpha = alpha});
    }
    float slot = slot_of(layers, n, m->focus, m->every);
    int32_t to = (int32_t)ceilf(m->focus - 1e-4f);
    int32_t from = (int32_t)floorf(m->focus + 1e-4f);
    add_plane(m, (StackPlane){.first = AS_CLAMP(to, 0, m->n_layers - 1),
                              .last = AS_CLAMP(to, 0, m->n_layers - 1),
                              .from = AS_CLAMP(from, 0, m->n_layers - 1),
                              .mix = m->focus - (float)from,
                              .y = stack_height(slot, m->focus, m->focus, m->spacing, m->explode),
                              .alpha = 1,
                              .focus = true});
    m->focus_layer = (int32_t)lroundf(m->focus);
    m->y_focus = stack_height(slot, m->focus, m->focus, m->spacing, m->explode);
    m->y_low = m->planes[0].y;
    m->y_high = m->planes[m->n_planes - 1].y;
}

/* ---- camera ---- */

/* Where the camera of a choice stands, before the person zooms: everything is in the room. */
typedef struct Stand {
    Vec3 target;
    float distance;
    Vec2 offset; /* of the target from the middle of the stage */
} Stand;

static void grow(Rect *box, Vec2 p, bool first)
{
    if (first) {
        *box = rect(p.x, p.y, 0, 0);
        return;
    }
    float x1 = AS_MAX(box->x + box->w, p.x);
    float y1 = AS_MAX(box->y + box->h, p.y);
    box->x = AS_MIN(box->x, p.x);
    box->y = AS_MIN(box->y, p.y);
    box->w = x1 - box->x;
    box->h = y1 - box->y;
}

/* The box of a slab of space on the screen. */
static Rect seen_box(const Camera3D *camera, Rect stage, float y0, float y1)
{
    View3D view = camera3d_view(camera, stage);
    Rect box = {0};
    for (int i = 0; i < 8; i++) {
        Vec3 p = {i & 1 ? STACK_WIDTH / 2 : -STACK_WIDTH / 2, i & 2 ? y1 : y0,
                  i & 4 ? STACK_DEPTH / 2 : -STACK_DEPTH / 2};
        Vec2 at;
        if (view3d_project(&view, p, &at, NULL)) {
            grow(&box, at, i == 0);
        }
    }
    return box;
}

static Stand stand_of(const StackModel *m, float y_focus)
{
    const StackCamera *chosen = &m->c->session->stack3d.camera;
    StackCamera preset = stack_camera_preset(chosen->preset);
    bool fly = chosen->preset == STACK_FLY;
    float y0 = fly ? y_focus - 0.05f : m->y_low - 0.15f;
    float y1 = fly ? y_focus + 0.05f : m->y_high + 0.1f;
    Camera3D camera = {.target = {0, (y0 + y1) / 2, 0},
                       .yaw_rad = preset.yaw_deg * RAD,
                       .pitch_rad = preset.pitch_deg * RAD,
                       .distance = 14.3f,
                       .fov_rad = FOV_RAD,
                       .orthographic = chosen->orthographic};
    Stand stand = {camera.target, camera.distance, {0, 0}};
    /* Perspective bends sizes a little: two rounds settle it. */
    for (int round = 0; round < 3; round++) {
        camera.distance = stand.distance;
        Rect box = seen_box(&camera, m->stage, y0, y1);
        float fit = AS_MAX(box.w / m->room.w, box.h / m->room.h);
        stand.distance = AS_CLAMP(stand.distance * fit, 4.5f, 80.0f);
    }
    camera.distance = stand.distance;
    Rect box = seen_box(&camera, m->stage, y0, y1);
    Vec2 seen = rect_center(box);
    Vec2 want = rect_center(m->room);
    stand.offset = vec2(want.x - seen.x, want.y - seen.y);
    return stand;
}

static float pan_of(float pan)
{
    return AS_CLAMP(pan, -STACK_MOST_PAN, STACK_MOST_PAN);
}

static double ease(Tween *tween, double goal, double now_s, double seconds, bool *moves)
{
    tween_to(tween, goal, now_s, seconds);
    *moves |= tween_moves(tween, now_s);
    return tween_value(tween, now_s);
}

/* The nearest way around. */
static double near_angle(double goal, double now)
{
    return now + remainder(goal - now, 360.0);
}

static void place_camera(StackModel *m)
{
    StackView *v = m->view;
    StackEase *e = &v->ease;
    const Ui *ui = m->c->ui;
    const StackCamera *c = &m->c->session->stack3d.camera;
    double now = ui->now_s;
    bool jump = ui->still || !v->placed;
    double seconds = jump ? 0 : c->preset != v->preset ? 0.7 : EASE_STATE_S;
    if (c->preset != v->preset) {
        e->glide = tween_at(now); /* the flight's length holds until it has landed */
    }
    seconds = !jump && now - tween_value(&e->glide, now) < 0.7 ? 0.7 : seconds;
    Stand stand = stand_of(m, m->y_focus);
    bool moves = false;
    double yaw = near_angle((double)(c->yaw_deg + v->pend_yaw), tween_value(&e->yaw, now));
    double pitch = (double)AS_CLAMP(c->pitch_deg + v->pend_pitch, -89.0f, 89.0f);
    /* While the pointer drags the camera follows it at once. */
    double turn_s = v->drag == STACK_DRAG_TURN ? 0 : seconds;
    double pan_s = v->drag == STACK_DRAG_PAN ? 0 : seconds;
    Camera3D camera = {.fov_rad = FOV_RAD};
    camera.yaw_rad = RAD * (float)ease(&e->yaw, yaw, now, turn_s, &moves);
    camera.pitch_rad = RAD * (float)ease(&e->pitch, pitch, now, turn_s, &moves);
    double zoom = exp2(ease(&e->zoom, log2((double)c->zoom), now, seconds, &moves));
    double far = exp2(ease(&e->distance, log2((double)stand.distance), now, seconds, &moves));
    float *target[3] = {&camera.target.x, &camera.target.y, &camera.target.z};
    float base[3] = {stand.target.x, stand.target.y, stand.target.z};
    for (int i = 0; i < 3; i++) {
        double goal = (double)(base[i] + pan_of(c->pan[i] + v->pend_pan[i]) * STACK_WIDTH);
        *target[i] = (float)ease(&e->target[i], goal, now, pan_s, &moves);
    }
    camera.offset_px.x = (float)ease(&e->offset[0], (double)stand.offset.x, now, seconds, &moves);
    camera.offset_px.y = (float)ease(&e->offset[1], (double)stand.offset.y, now, seconds, &moves);
    /* From perspective to parallel rays: the eye steps back as the lens narrows. */
    double lens = ease(&e->lens, c->orthographic ? 1 : 0, now, seconds, &moves);
    double size = zoom / far; /* of a unit length at the target */
    double distance = AS_MAX(far / zoom, (double)LEAST_DISTANCE);
    distance /= AS_MAX(1 - lens, 0.02);
    camera.distance = (float)distance;
    camera.fov_rad = 2 * (float)atan(tan((double)FOV_RAD / 2) / (size * distance));
    camera.orthographic = lens > 0.995;
    m->camera = camera;
    m->eye = camera3d_view(&camera, m->stage);
    m->px = m->eye.focal_px / camera.distance;
    m->steep = smooth((fabsf(camera.pitch_rad) / RAD - 52) / 28);
    m->size = AS_CLAMP(m->px / 186, 0.55f, 1.5f);
    m->fly = (float)ease(&e->fly, c->preset == STACK_FLY, now, seconds, &moves);
    m->c->ui->moves |= moves;
    v->preset = c->preset;
}

/* ---- the layer in focus ---- */

/* 0 while the last layer is still what is seen, 1 when this one has come. */
static float arrival(const Session *s)
{
    const Playback *p = &s->playback;
    double t = playback_time(p);
    return s->selection.layer > 0 && p->timeline.steps_layers && t < STACK_RISE_S
               ? (float)ease_in_out_cubic(t / STACK_RISE_S)
               : 1;
}

static void find_focus(StackModel *m)
{
    StackView *v = m->view;
    const Session *s = m->c->session;
    double now = m->c->ui->now_s;
    double goal = (double)((float)s->selection.layer - 1 + arrival(s));
    bool near = fabs(goal - v->focus_goal) < 0.5 && !tween_moves(&v->ease.focus, now);
    bool jump = m->c->ui->still || !v->placed || near;
    tween_to(&v->ease.focus, goal, now, jump ? 0 : EASE_CAMERA_S);
    v->focus_goal = goal;
    m->focus = (float)tween_value(&v->ease.focus, now);
    m->focus = AS_CLAMP(m->focus, 0.0f, (float)m->n_layers - 1);
    if (fabsf(m->focus - roundf(m->focus)) < 1e-4f) {
        m->focus = roundf(m->focus);
    }
    m->c->ui->moves |= tween_moves(&v->ease.focus, now);
}

static void find_sliders(StackModel *m)
{
    StackView *v = m->view;
    const StackChoice *c = &m->c->session->stack3d;
    double now = m->c->ui->now_s;
    bool held = v->slider_explode >= 0;
    double seconds = m->c->ui->still || !v->placed || held ? 0 : EASE_STATE_S;
    double explode = (double)(held ? v->slider_explode : c->explode);
    bool moves = false;
    m->explode = (float)ease(&v->ease.explode, explode, now, seconds, &moves);
    held = v->slider_opacity >= 0;
    seconds = m->c->ui->still || !v->placed || held ? 0 : EASE_STATE_S;
    double opacity = (double)(held ? v->slider_opacity : c->opacity);
    m->opacity = (float)ease(&v->ease.opacity, opacity, now, seconds, &moves);
    m->c->ui->moves |= moves;
}

static Rect room_of(Rect stage, StackPreset preset)
{
    bool flat = preset == STACK_FLY || preset == STACK_TOP;
    float right = stack_strip_width(stage);
    float top = stage.h > 620 ? 74 : 66;
    float low = stage.w < 1250 ? 184 : 116;              /* above the controls, or beside them */
    float left = stage.w <= 900 ? 72 : flat ? 262 : 120; /* beside the controls */
    float names = 92;                                    /* "Layer 13" right of the planes */
    return rect(stage.x + left, stage.y + top,
                AS_MAX(stage.w - left - names - (right > 0 ? right + 40 : 24), 60.0f),
                AS_MAX(stage.h - top - low, 60.0f));
}

bool stack_model_make(StackModel *m, ViewContext *c, Rect stage)
{
    Session *s = c->session;
    const TraceInfo *info = trace_info(s->trace);
    StackView *v = view_state(c->views, VIEW_STACK);
    *m = (StackModel){
        .c = c, .view = v, .stage = stage, .room = room_of(stage, s->stack3d.camera.preset)};
    m->n_layers = s->layers_done;
    if (m->n_layers < 1) {
        return false;
    }
    m->n_queries = info->n_queries;
    m->n_keys = info->n_keys;
    m->cross = trace_is_cross(s->trace) || m->n_queries != m->n_keys;
    m->patterns = session_stack_patterns(s);
    m->rows = session_stack_rows(s);
    if (!v->placed) {
        v->slider_explode = v->slider_opacity = -1;
        v->hover_layer = -1;
        v->focus_goal = (double)s->selection.layer;
    }
    find_focus(m);
    find_sliders(m);
    place_planes(m);
    place_camera(m);
    stack_side_place(m);
    v->placed = true;
    return true;
}
