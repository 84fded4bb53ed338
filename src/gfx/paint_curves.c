#include <math.h>
#include <stddef.h>
#include <string.h>

#include <glad/gl.h>

#include "gfx/internal.h"

/* Pieces of a curve: as many as its turns need, fewer where there are very many of them, whose
 * single turns nobody can follow. */
enum { SEGMENTS_MOST = 48, SEGMENTS_LEAST = 12 };
static const size_t VERTEX_BUDGET = 8u << 20;

/* Programs, in the order of gfx->curve_programs. */
enum { CURVE_PROGRAM, PARTICLE_PROGRAM };

/* Texture unit of a particle's curves. */
enum { CURVES_UNIT = 2 };

/* One curve as shaders/curve.vert reads it. */
typedef struct CurveInstance {
    float ends[8];
    float widths[4];
    float light[4];
    uint32_t color[2];
} CurveInstance;

/* One particle as shaders/particle.vert reads it. */
typedef struct ParticleInstance {
    uint32_t curve;
    float way[3];
    float size[3];
    uint32_t color;
} ParticleInstance;

typedef struct Field {
    GLint n;
    GLenum type;
    GLboolean normalized;
    size_t at;
} Field;

static const Field curve_fields[] = {
    {4, GL_FLOAT, GL_FALSE, offsetof(CurveInstance, ends)},
    {4, GL_FLOAT, GL_FALSE, offsetof(CurveInstance, ends) + 16},
    {4, GL_FLOAT, GL_FALSE, offsetof(CurveInstance, widths)},
    {4, GL_FLOAT, GL_FALSE, offsetof(CurveInstance, light)},
    {4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(CurveInstance, color)},
    {4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(CurveInstance, color) + 4},
};

static const Field particle_fields[] = {
    {1, GL_UNSIGNED_INT, GL_FALSE, offsetof(ParticleInstance, curve)},
    {3, GL_FLOAT, GL_FALSE, offsetof(ParticleInstance, way)},
    {3, GL_FLOAT, GL_FALSE, offsetof(ParticleInstance, size)},
    {4, GL_UNSIGNED_BYTE, GL_TRUE, offsetof(ParticleInstance, color)},
};

static bool finite_curve(const DrawCurve *c)
{
    Rect b = curve_bounds(c);
    return isfinite(b.x) && isfinite(b.y) && isfinite(b.w) && isfinite(b.h);
}

static CurveInstance curve_instance(const DrawCurve *c)
{
    CurveInstance out = {
        .ends = {c->a.x, c->a.y, c->c1.x, c->c1.y, c->c2.x, c->c2.y, c->b.x, c->b.y},
        .widths = {c->width, curve_width(c, 0.5f), curve_width(c, 1), c->enter_s},
        .light = {c->glow, c->glow_alpha, c->core, 0},
        .color = {color_pack(c->color), color_pack(curve_color(c, 1))}};
    return out;
}

/* ---- what is kept on the GPU ---- */

static void forget(CurveBuffers *b)
{
    GLuint buffers[2] = {b->instances, b->curves};
    glDeleteBuffers(2, buffers);
    glDeleteVertexArrays(1, &b->array);
    glDeleteTextures(1, &b->texture);
    *b = (CurveBuffers){0};
}

void gfx_forget_curves(Gfx *gfx, bool all)
{
    enum { KEPT_FRAMES = 3 };
    for (size_t i = 0; i < gfx->curve_buffers.n;) {
        CurveBuffers *b = &gfx->curve_buffers.items[i];
        if (all || !b->version || b->used_frame + KEPT_FRAMES < gfx->frame) {
            forget(b);
            *b = gfx->curve_buffers.items[--gfx->curve_buffers.n];
        } else {
            i++;
        }
    }
    if (all) {
        ARRAY_FREE(&gfx->curve_buffers);
    }
}

/* The kept buffers of a version, or a place for new ones (n_instances 0). */
static CurveBuffers *find_buffers(Gfx *gfx, DrawKind kind, uint64_t version, Error *err)
{
    for (size_t i = 0; version && i < gfx->curve_buffers.n; i++) {
        CurveBuffers *b = &gfx->curve_buffers.items[i];
        if (b->version == version && b->kind == kind) {
            b->used_frame = gfx->frame;
            return b;
        }
    }
    CurveBuffers fresh = {.kind = kind, .version = version, .used_frame = gfx->frame};
    if (!ARRAY_PUSH(&gfx->curve_buffers, fresh, err)) {
        return NULL;
    }
    return &gfx->curve_buffers.items[gfx->curve_buffers.n - 1];
}

static void make_array(CurveBuffers *b, const Field *fields, size_t n_fields, size_t stride)
{
    glGenVertexArrays(1, &b->array);
    glGenBuffers(1, &b->instances);
    glBindVertexArray(b->array);
    glBindBuffer(GL_ARRAY_BUFFER, b->instances);
    for (GLuint i = 0; i < n_fields; i++) {
        const Field *f = &fields[i];
        glEnableVertexAttribArray(i);
        if (f->type == GL_UNSIGNED_INT) {
            glVertexAttribIPointer(i, f->n, f->type, (GLsizei)stride, (const void *)f->at);
        } else {
            glVertexAttribPointer(i, f->n, f->type, f->normalized, (GLsizei)stride,
                                  (const void *)f->at);
        }
        glVertexAttribDivisor(i, 1);
    }
}

static bool send_curves(Gfx *gfx, const DrawCurves *set, CurveBuffers *b, Error *err)
{
    CurveInstance *items = mem_alloc_zeroed(set->n, sizeof *items, err);
    if (!items) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        if (finite_curve(&set->curves[i])) {
            items[n++] = curve_instance(&set->curves[i]);
        }
    }
    make_array(b, curve_fields, AS_COUNT(curve_fields), sizeof *items);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(n * sizeof *items), items, GL_STATIC_DRAW);
    gfx->stats.uploaded_bytes += (int64_t)(n * sizeof *items);
    mem_free(items);
    b->n_instances = n;
    return true;
}

static bool send_particles(Gfx *gfx, const DrawParticles *set, CurveBuffers *b, Error *err)
{
    GLint most = 0;
    glGetIntegerv(GL_MAX_TEXTURE_BUFFER_SIZE, &most);
    if (set->n_curves * 2 > (size_t)AS_MAX(most, 65536)) {
        return error_set(err, ERR_GRAPHICS, "%s holds %d curves for particles, not %zu",
                         gfx->renderer, (int)(most / 2), set->n_curves);
    }
    float *ends = mem_alloc_zeroed(set->n_curves, 8 * sizeof(float), err);
    ParticleInstance *items = ends ? mem_alloc_zeroed(set->n, sizeof *items, err) : NULL;
    if (!items) {
        mem_free(ends);
        return false;
    }
    for (size_t i = 0; i < set->n_curves; i++) {
        CurveInstance c = curve_instance(&set->curves[i]);
        memcpy(ends + 8 * i, c.ends, sizeof c.ends);
    }
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        const DrawParticle *p = &set->items[i];
        if (finite_curve(&set->curves[p->curve])) {
            items[n++] = (ParticleInstance){.curve = p->curve,
                                            .way = {p->phase, p->speed, p->enter_s},
                                            .size = {p->radius, p->halo, p->tail},
                                            .color = color_pack(p->color)};
        }
    }
    make_array(b, particle_fields, AS_COUNT(particle_fields), sizeof *items);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)(n * sizeof *items), items, GL_STATIC_DRAW);
    glGenBuffers(1, &b->curves);
    glGenTextures(1, &b->texture);
    glBindBuffer(GL_TEXTURE_BUFFER, b->curves);
    glBufferData(GL_TEXTURE_BUFFER, (GLsizeiptr)(set->n_curves * 8 * sizeof(float)), ends,
                 GL_STATIC_DRAW);
    glActiveTexture(GL_TEXTURE0 + CURVES_UNIT);
    glBindTexture(GL_TEXTURE_BUFFER, b->texture);
    glTexBuffer(GL_TEXTURE_BUFFER, GL_RGBA32F, b->curves);
    glActiveTexture(GL_TEXTURE0);
    gfx->stats.uploaded_bytes += (int64_t)(n * sizeof *items + set->n_curves * 32);
    mem_free(items);
    mem_free(ends);
    b->n_instances = n;
    return true;
}

/* ---- painting ---- */

static void begin(const PaintContext *c, const CurveProgram *program, Color core)
{
    Gfx *gfx = c->gfx;
    glUseProgram(program->name);
    glUniform2f(program->viewport, (float)gfx->width, (float)gfx->height);
    glUniform4f(program->core, core.r, core.g, core.b, core.a);
    glEnable(GL_SCISSOR_TEST);
    glScissor((GLint)c->clip[0], (GLint)((float)gfx->height - c->clip[3]),
              (GLsizei)(c->clip[2] - c->clip[0]), (GLsizei)(c->clip[3] - c->clip[1]));
}

static void end(Gfx *gfx, size_t n, int n_vertices)
{
    glDisable(GL_SCISSOR_TEST);
    glBindVertexArray(0);
    gfx->stats.n_draw_calls++;
    gfx->stats.n_instances += (int32_t)AS_MIN(n, (size_t)INT32_MAX);
    gfx->stats.n_vertices +=
        (int32_t)AS_MIN(n * (size_t)n_vertices, (size_t)(INT32_MAX - gfx->stats.n_vertices));
}

bool paint_curves(const PaintContext *c, Error *err)
{
    Gfx *gfx = c->gfx;
    const DrawCurves *set = &c->cmd->u.curves;
    /* Drawn at once, in one call: what waits lies below. */
    CurveBuffers *b =
        gfx_flush(gfx, err) ? find_buffers(gfx, DRAW_CURVES, set->version, err) : NULL;
    if (!b || (!b->array && !send_curves(gfx, set, b, err))) {
        return false;
    }
    if (b->n_instances == 0) {
        return true;
    }
    size_t segments = VERTEX_BUDGET / 2 / b->n_instances;
    segments = AS_CLAMP(segments, (size_t)SEGMENTS_LEAST, (size_t)SEGMENTS_MOST);
    const CurveProgram *program = &gfx->curve_programs[CURVE_PROGRAM];
    begin(c, program, set->core);
    glUniform4f(program->frame, c->scale, (float)segments, (float)set->time_s, set->draw_s);
    glUniform1f(program->quality, gfx->glow_quality);
    glUniform3f(program->blend, c->cmd->alpha, c->added, set->glow_over ? 1 : 0);
    glBindVertexArray(b->array);
    int n_vertices = (int)(segments + 1) * 2;
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, n_vertices, (GLsizei)b->n_instances);
    end(gfx, b->n_instances, n_vertices);
    return true;
}

bool paint_particles(const PaintContext *c, Error *err)
{
    Gfx *gfx = c->gfx;
    const DrawParticles *set = &c->cmd->u.particles;
    CurveBuffers *b =
        gfx_flush(gfx, err) ? find_buffers(gfx, DRAW_PARTICLES, set->version, err) : NULL;
    if (!b || (!b->array && !send_particles(gfx, set, b, err))) {
        return false;
    }
    if (b->n_instances == 0) {
        return true;
    }
    const CurveProgram *program = &gfx->curve_programs[PARTICLE_PROGRAM];
    begin(c, program, set->core);
    glUniform2f(program->frame, c->scale, (float)set->time_s);
    glUniform3f(program->blend, c->cmd->alpha, set->shape == PARTICLE_ARROW ? 1 : 0,
                set->over ? 1 : 0);
    glActiveTexture(GL_TEXTURE0 + CURVES_UNIT);
    glBindTexture(GL_TEXTURE_BUFFER, b->texture);
    glActiveTexture(GL_TEXTURE0);
    glBindVertexArray(b->array);
    glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, (GLsizei)b->n_instances);
    end(gfx, b->n_instances, 4);
    return true;
}
