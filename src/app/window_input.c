#include "app/window_input.h"

#include "base/arena.h"

#include <GLFW/glfw3.h>

#include <string.h>

static WindowInput *input_of(GLFWwindow *window)
{
    return glfwGetWindowUserPointer(window);
}

static void push(WindowInput *input, UiEvent event)
{
    UiEvent *last = input->n_events ? &input->events[input->n_events - 1] : NULL;
    if (last && event.kind == UI_EVENT_MOVE && last->kind == UI_EVENT_MOVE) {
        *last = event; /* only where it arrived counts */
        return;
    }
    if (input->n_events < WINDOW_EVENTS) {
        event.time_s = glfwGetTime();
        input->events[input->n_events++] = event;
    }
}

static uint32_t mods_of(int mods)
{
    return (mods & GLFW_MOD_SHIFT ? (uint32_t)KEY_MOD_SHIFT : 0) |
           (mods & GLFW_MOD_CONTROL ? (uint32_t)KEY_MOD_CTRL : 0) |
           (mods & GLFW_MOD_ALT ? (uint32_t)KEY_MOD_ALT : 0);
}

static uint32_t named_key(int key)
{
    static const struct {
        int glfw;
        uint32_t key;
    } table[] = {
        {GLFW_KEY_LEFT, KEY_LEFT},
        {GLFW_KEY_RIGHT, KEY_RIGHT},
        {GLFW_KEY_UP, KEY_UP},
        {GLFW_KEY_DOWN, KEY_DOWN},
        {GLFW_KEY_HOME, KEY_HOME},
        {GLFW_KEY_END, KEY_END},
        {GLFW_KEY_PAGE_UP, KEY_PAGE_UP},
        {GLFW_KEY_PAGE_DOWN, KEY_PAGE_DOWN},
        {GLFW_KEY_ENTER, KEY_ENTER},
        {GLFW_KEY_KP_ENTER, KEY_ENTER},
        {GLFW_KEY_ESCAPE, KEY_ESC},
        {GLFW_KEY_TAB, KEY_TAB},
        {GLFW_KEY_BACKSPACE, KEY_BACKSPACE},
        {GLFW_KEY_DELETE, KEY_DELETE},
        {GLFW_KEY_INSERT, KEY_INSERT},
    };
    for (size_t i = 0; i < AS_COUNT(table); i++) {
        if (table[i].glfw == key) {
            return table[i].key;
        }
    }
    if (key >= GLFW_KEY_F1 && key <= GLFW_KEY_F12) {
        return (uint32_t)(KEY_F1 + (key - GLFW_KEY_F1));
    }
    return 0;
}

/* The character on the key, for Ctrl+X and the like; by the keyboard's own layout where known. */
static uint32_t letter_key(int key, int scancode)
{
    const char *name = glfwGetKeyName(key, scancode);
    if (name && name[0] && !name[1]) {
        char c = name[0];
        return (uint32_t)(unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    if (key >= GLFW_KEY_A && key <= GLFW_KEY_Z) {
        return (uint32_t)('a' + (key - GLFW_KEY_A));
    }
    return key > ' ' && key < 127 ? (uint32_t)key : 0;
}

static void on_key(GLFWwindow *window, int key, int scancode, int action, int mods)
{
    WindowInput *input = input_of(window);
    input->mods = mods_of(mods);
    if (action == GLFW_RELEASE) {
        return;
    }
    uint32_t named = named_key(key);
    bool chord = (mods & (GLFW_MOD_CONTROL | GLFW_MOD_ALT)) != 0;
    uint32_t code = named ? named : chord ? letter_key(key, scancode) : 0;
    uint32_t held = input->mods;
    if (!named && !(code >= 'a' && code <= 'z')) {
        /* Signs are bound as what they are, whether or not they need Shift. */
        code = code == '=' && held & KEY_MOD_SHIFT ? '+' : code;
        held &= ~(uint32_t)KEY_MOD_SHIFT;
    }
    if (code) { /* plain characters come through on_char */
        push(input, (UiEvent){.kind = UI_EVENT_KEY, .key = code, .mods = held});
    }
}

static void on_char(GLFWwindow *window, unsigned int code_point)
{
    WindowInput *input = input_of(window);
    push(input, (UiEvent){.kind = UI_EVENT_TEXT, .key = code_point, .mods = input->mods});
}

static void on_move(GLFWwindow *window, double x, double y)
{
    WindowInput *input = input_of(window);
    input->at = vec2((float)x * input->to_logical_x, (float)y * input->to_logical_y);
    push(input, (UiEvent){.kind = UI_EVENT_MOVE, .at = input->at});
}

static void on_enter(GLFWwindow *window, int entered)
{
    if (!entered) {
        push(input_of(window), (UiEvent){.kind = UI_EVENT_LEAVE});
    }
}

static void on_button(GLFWwindow *window, int button, int action, int mods)
{
    WindowInput *input = input_of(window);
    push(input, (UiEvent){.kind = action == GLFW_PRESS ? UI_EVENT_DOWN : UI_EVENT_UP,
                          .at = input->at,
                          .button = button,
                          .mods = mods_of(mods)});
}

static void on_scroll(GLFWwindow *window, double dx, double dy)
{
    WindowInput *input = input_of(window);
    push(input, (UiEvent){.kind = UI_EVENT_WHEEL,
                          .at = input->at,
                          .wheel = (float)dy,
                          .wheel_x = (float)dx,
                          .mods = input->mods});
}

void window_input_drop(WindowInput *input, int n, const char *const *paths)
{
    for (int i = 0; i < n && input->n_dropped < WINDOW_DROPS; i++) {
        size_t bytes = strlen(paths[i]) + 1;
        char *path = mem_alloc(bytes, NULL);
        if (path) {
            memcpy(path, paths[i], bytes);
            input->dropped[input->n_dropped++] = path;
        }
    }
}

void window_input_open_dropped(WindowInput *input, Session *session)
{
    for (int i = 0; i < input->n_dropped; i++) {
        session_post(session, "open %s", input->dropped[i]);
        mem_free(input->dropped[i]);
    }
    input->n_dropped = 0;
}

static void on_drop(GLFWwindow *window, int n, const char **paths)
{
    window_input_drop(input_of(window), n, paths);
}

static void on_damage(GLFWwindow *window)
{
    input_of(window)->damaged = true;
}

static void on_size(GLFWwindow *window, int width, int height)
{
    (void)width;
    (void)height;
    input_of(window)->damaged = true;
}

void window_input_attach(GLFWwindow *window, WindowInput *input)
{
    input->damaged = true;
    glfwSetWindowUserPointer(window, input);
    glfwSetKeyCallback(window, on_key);
    glfwSetCharCallback(window, on_char);
    glfwSetCursorPosCallback(window, on_move);
    glfwSetCursorEnterCallback(window, on_enter);
    glfwSetMouseButtonCallback(window, on_button);
    glfwSetScrollCallback(window, on_scroll);
    glfwSetDropCallback(window, on_drop);
    glfwSetWindowRefreshCallback(window, on_damage);
    glfwSetFramebufferSizeCallback(window, on_size);
}
