#include "gfx/headless.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <glad/gl.h>
#include <stdio.h>
#include <string.h>

struct Headless {
    EGLDisplay display;
    EGLContext context;
    EGLSurface surface; /* EGL_NO_SURFACE where contexts work without */
    GLuint framebuffer, color;
    const char *platform;
};

GfxProc headless_proc(const char *name)
{
    return (GfxProc)eglGetProcAddress(name);
}

const char *headless_platform(const Headless *headless)
{
    return headless->platform;
}

static bool has_extension(EGLDisplay display, const char *name)
{
    const char *all = eglQueryString(display, EGL_EXTENSIONS);
    size_t n = strlen(name);
    for (const char *at = all ? strstr(all, name) : NULL; at; at = strstr(at + n, name)) {
        if ((at == all || at[-1] == ' ') && (at[n] == ' ' || at[n] == 0)) {
            return true;
        }
    }
    return false;
}

static EGLDisplay platform_display(EGLenum platform, void *native)
{
    PFNEGLGETPLATFORMDISPLAYEXTPROC get =
        (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
    return get ? get(platform, native, NULL) : EGL_NO_DISPLAY;
}

static EGLDisplay surfaceless_display(void)
{
    return has_extension(EGL_NO_DISPLAY, "EGL_MESA_platform_surfaceless")
               ? platform_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY)
               : EGL_NO_DISPLAY;
}

static EGLDisplay device_display(void)
{
    PFNEGLQUERYDEVICESEXTPROC query =
        (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
    EGLDeviceEXT device;
    EGLint n = 0;
    if (!query || !has_extension(EGL_NO_DISPLAY, "EGL_EXT_platform_device") ||
        !query(1, &device, &n) || n < 1) {
        return EGL_NO_DISPLAY;
    }
    return platform_display(EGL_PLATFORM_DEVICE_EXT, device);
}

static EGLDisplay default_display(void)
{
    return eglGetDisplay(EGL_DEFAULT_DISPLAY);
}

/* Context and, where it must be, a one-pixel surface. Leaves nothing behind when it fails. */
static bool try_display(Headless *h, EGLDisplay display, bool with_surface)
{
    if (display == EGL_NO_DISPLAY || !eglInitialize(display, NULL, NULL)) {
        return false;
    }
    EGLint surface_kind = with_surface ? EGL_PBUFFER_BIT : 0;
    EGLint config_wish[] = {EGL_SURFACE_TYPE,
                            surface_kind,
                            EGL_RENDERABLE_TYPE,
                            EGL_OPENGL_BIT,
                            EGL_RED_SIZE,
                            8,
                            EGL_GREEN_SIZE,
                            8,
                            EGL_BLUE_SIZE,
                            8,
                            EGL_NONE};
    static const EGLint context_wish[] = {EGL_CONTEXT_MAJOR_VERSION,
                                          3,
                                          EGL_CONTEXT_MINOR_VERSION,
                                          3,
                                          EGL_CONTEXT_OPENGL_PROFILE_MASK,
                                          EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                                          EGL_NONE};
    static const EGLint surface_wish[] = {EGL_WIDTH, 1, EGL_HEIGHT, 1, EGL_NONE};
    EGLConfig config;
    EGLint n = 0;
    h->display = display;
    h->context = EGL_NO_CONTEXT;
    h->surface = EGL_NO_SURFACE;
    bool ok = (with_surface || has_extension(display, "EGL_KHR_surfaceless_context")) &&
              eglBindAPI(EGL_OPENGL_API) && eglChooseConfig(display, config_wish, &config, 1, &n) &&
              n == 1;
    if (ok) {
        h->context = eglCreateContext(display, config, EGL_NO_CONTEXT, context_wish);
        if (with_surface) {
            h->surface = eglCreatePbufferSurface(display, config, surface_wish);
        }
    }
    if (h->context != EGL_NO_CONTEXT && (!with_surface || h->surface != EGL_NO_SURFACE) &&
        eglMakeCurrent(display, h->surface, h->surface, h->context)) {
        return true;
    }
    if (h->surface != EGL_NO_SURFACE) {
        eglDestroySurface(display, h->surface);
    }
    if (h->context != EGL_NO_CONTEXT) {
        eglDestroyContext(display, h->context);
    }
    h->display = EGL_NO_DISPLAY;
    return false;
}

static bool open_context(Headless *h, Error *err)
{
    static const struct {
        const char *name;
        EGLDisplay (*display)(void);
        bool with_surface;
    } ways[] = {{"EGL, Mesa surfaceless", surfaceless_display, false},
                {"EGL, device", device_display, false},
                {"EGL, device with pbuffer", device_display, true},
                {"EGL, default display with pbuffer", default_display, true}};
    for (size_t i = 0; i < AS_COUNT(ways); i++) {
        if (try_display(h, ways[i].display(), ways[i].with_surface)) {
            h->platform = ways[i].name;
            return true;
        }
    }
    return error_set(err, ERR_GRAPHICS,
                     "no OpenGL 3.3 context without a window could be made (tried Mesa "
                     "surfaceless, EGL device, pbuffer): install the packages libegl1 and "
                     "libgl1-mesa-dri, which draw with the processor where there is no GPU");
}

static bool make_framebuffer(Headless *h, int32_t width, int32_t height, Error *err)
{
    if (gladLoadGL(headless_proc) < GLAD_MAKE_VERSION(3, 3)) {
        return error_set(err, ERR_GRAPHICS, "%s gives no OpenGL 3.3", h->platform);
    }
    GLint most = 0;
    glGetIntegerv(GL_MAX_RENDERBUFFER_SIZE, &most);
    if (width > most || height > most) {
        return error_set(err, ERR_RANGE,
                         "a picture of %d x %d is larger than %s can draw (%d): "
                         "choose a smaller --size",
                         width, height, (const char *)glGetString(GL_RENDERER), most);
    }
    glGenRenderbuffers(1, &h->color);
    glBindRenderbuffer(GL_RENDERBUFFER, h->color);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
    glGenFramebuffers(1, &h->framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, h->framebuffer);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, h->color);
    GLenum status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
    return status == GL_FRAMEBUFFER_COMPLETE
               ? true
               : error_set(err, ERR_GRAPHICS, "a framebuffer of %d x %d could not be made (0x%04X)",
                           width, height, status);
}

Headless *headless_create(int32_t width_px, int32_t height_px, Error *err)
{
    if (width_px < 1 || height_px < 1) {
        error_set(err, ERR_RANGE, "a picture of %d x %d has no pixels", width_px, height_px);
        return NULL;
    }
    Headless *h = mem_alloc_zeroed(1, sizeof(*h), err);
    if (!h) {
        return NULL;
    }
    h->display = EGL_NO_DISPLAY;
    if (!open_context(h, err) || !make_framebuffer(h, width_px, height_px, err)) {
        headless_destroy(h);
        return NULL;
    }
    return h;
}

void headless_destroy(Headless *h)
{
    if (!h) {
        return;
    }
    if (h->display != EGL_NO_DISPLAY) {
        if (h->framebuffer) {
            glDeleteFramebuffers(1, &h->framebuffer);
        }
        if (h->color) {
            glDeleteRenderbuffers(1, &h->color);
        }
        eglMakeCurrent(h->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        if (h->surface != EGL_NO_SURFACE) {
            eglDestroySurface(h->display, h->surface);
        }
        eglDestroyContext(h->display, h->context);
        /* No eglTerminate: the display is the process's, others may have contexts on it. */
    }
    mem_free(h);
}

bool headless_bind(Headless *h, Error *err)
{
    if (!eglMakeCurrent(h->display, h->surface, h->surface, h->context)) {
        return error_set(err, ERR_GRAPHICS, "the off-screen context could not be made current");
    }
    glBindFramebuffer(GL_FRAMEBUFFER, h->framebuffer);
    return true;
}
