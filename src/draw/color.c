#include "draw/color.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const float PI = 3.14159265358979f;

Color color_hex(uint32_t rrggbb)
{
    return (Color){(float)((rrggbb >> 16) & 255) / 255.0f, (float)((rrggbb >> 8) & 255) / 255.0f,
                   (float)(rrggbb & 255) / 255.0f, 1};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool color_parse(const char *text, Color *out)
{
    if (*text == '#') {
        text++;
    }
    size_t n = strlen(text);
    if (n != 3 && n != 6 && n != 8) {
        return false;
    }
    int digits[8] = {0, 0, 0, 0, 0, 0, 15, 15};
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(text[i]);
        if (d < 0) {
            return false;
        }
        if (n == 3) {
            digits[2 * i] = digits[2 * i + 1] = d;
        } else {
            digits[i] = d;
        }
    }
    float v[4];
    for (int i = 0; i < 4; i++) {
        v[i] = (float)(digits[2 * i] * 16 + digits[2 * i + 1]) / 255.0f;
    }
    *out = (Color){v[0], v[1], v[2], v[3]};
    return true;
}

Color color_with_alpha(Color c, float a)
{
    c.a = a;
    return c;
}

Color color_fade(Color c, float factor)
{
    c.a *= factor;
    return c;
}

Color color_mix(Color a, Color b, float t)
{
    t = AS_CLAMP(t, 0.0f, 1.0f);
    return (Color){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t,
                   a.a + (b.a - a.a) * t};
}

Color color_over(Color top, Color bottom)
{
    float a = top.a + bottom.a * (1 - top.a);
    if (a <= 0) {
        return (Color){0};
    }
    float wt = top.a / a;
    float wb = 1 - wt;
    return (Color){top.r * wt + bottom.r * wb, top.g * wt + bottom.g * wb,
                   top.b * wt + bottom.b * wb, a};
}

static float decode(float v)
{
    return v <= 0.04045f ? v / 12.92f : powf((v + 0.055f) / 1.055f, 2.4f);
}

static float encode(float v)
{
    return v <= 0.0031308f ? 12.92f * v : 1.055f * powf(v, 1 / 2.4f) - 0.055f;
}

/* OKLab -> linear sRGB; may lie outside 0..1. */
static void oklab_to_linear(float lightness, float a, float b, float rgb[3])
{
    float l = lightness + 0.3963377774f * a + 0.2158037573f * b;
    float m = lightness - 0.1055613458f * a - 0.0638541728f * b;
    float s = lightness - 0.0894841775f * a - 1.2914855480f * b;
    l = l * l * l;
    m = m * m * m;
    s = s * s * s;
    rgb[0] = 4.0767416621f * l - 3.3077115913f * m + 0.2309699292f * s;
    rgb[1] = -1.2684380046f * l + 2.6097574011f * m - 0.3413193965f * s;
    rgb[2] = -0.0041960863f * l - 0.7034186147f * m + 1.7076147010f * s;
}

static bool in_gamut(const float rgb[3])
{
    for (int i = 0; i < 3; i++) {
        if (rgb[i] < -1e-4f || rgb[i] > 1 + 1e-4f) {
            return false;
        }
    }
    return true;
}

Color color_oklch(float lightness, float chroma, float hue_deg)
{
    lightness = AS_CLAMP(lightness, 0.0f, 1.0f);
    float ca = cosf(hue_deg * PI / 180);
    float sa = sinf(hue_deg * PI / 180);
    float rgb[3];
    oklab_to_linear(lightness, chroma * ca, chroma * sa, rgb);
    if (!in_gamut(rgb)) {
        float lo = 0;
        float hi = chroma;
        for (int i = 0; i < 20; i++) {
            float mid = (lo + hi) / 2;
            oklab_to_linear(lightness, mid * ca, mid * sa, rgb);
            if (in_gamut(rgb)) {
                lo = mid;
            } else {
                hi = mid;
            }
        }
        oklab_to_linear(lightness, lo * ca, lo * sa, rgb);
    }
    float v[3];
    for (int i = 0; i < 3; i++) {
        v[i] = AS_CLAMP(encode(AS_CLAMP(rgb[i], 0.0f, 1.0f)), 0.0f, 1.0f);
    }
    return (Color){v[0], v[1], v[2], 1};
}

void color_to_oklch(Color c, float *lightness, float *chroma, float *hue_deg)
{
    float r = decode(c.r);
    float g = decode(c.g);
    float b = decode(c.b);
    float l = cbrtf(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
    float m = cbrtf(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
    float s = cbrtf(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
    float oa = 1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s;
    float ob = 0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s;
    if (lightness) {
        *lightness = 0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s;
    }
    if (chroma) {
        *chroma = sqrtf(oa * oa + ob * ob);
    }
    if (hue_deg) {
        float h = atan2f(ob, oa) * 180 / PI;
        *hue_deg = h < 0 ? h + 360 : h;
    }
}

float color_luminance(Color c)
{
    return 0.2126f * decode(c.r) + 0.7152f * decode(c.g) + 0.0722f * decode(c.b);
}

float color_contrast(Color a, Color b)
{
    float la = color_luminance(a) + 0.05f;
    float lb = color_luminance(b) + 0.05f;
    return la > lb ? la / lb : lb / la;
}

Color color_readable(Color background, Color dark, Color light)
{
    return color_contrast(background, dark) >= color_contrast(background, light) ? dark : light;
}

static uint32_t to_byte(float v)
{
    return v >= 1 ? 255u : v > 0 ? (uint32_t)(v * 255.0f + 0.5f) : 0u;
}

uint32_t color_pack(Color c)
{
    unsigned char bytes[4] = {(unsigned char)to_byte(c.r), (unsigned char)to_byte(c.g),
                              (unsigned char)to_byte(c.b), (unsigned char)to_byte(c.a)};
    uint32_t packed;
    memcpy(&packed, bytes, sizeof(packed));
    return packed;
}

Color color_unpack(uint32_t rgba)
{
    unsigned char bytes[4];
    memcpy(bytes, &rgba, sizeof(bytes));
    return (Color){(float)bytes[0] / 255.0f, (float)bytes[1] / 255.0f, (float)bytes[2] / 255.0f,
                   (float)bytes[3] / 255.0f};
}

bool color_equal(Color a, Color b)
{
    return color_pack(a) == color_pack(b);
}

/* Golden angle: however many hues are taken, the next lies in a widest gap. */
static const double GOLDEN_ANGLE_DEG = 137.50776405003785;

static Color further_hue(float lightness, float chroma, double start_deg, int64_t k)
{
    double hue = fmod(start_deg + GOLDEN_ANGLE_DEG * (double)(k % 1000003), 360.0);
    return color_oklch(lightness, chroma, (float)hue);
}

Color color_token(int64_t index)
{
    static const uint32_t named[] = {0xFF6B6B, 0x4ECDC4, 0x45B7D1, 0xFFA07A, 0x98D8C8, 0xF7DC6F};
    int64_t n_named = (int64_t)AS_COUNT(named);
    index = AS_MAX(index, 0);
    return index < n_named ? color_hex(named[index])
                           : further_hue(0.78f, 0.115f, 310.0, index - n_named);
}

Color color_head(int64_t index)
{
    static const uint32_t named[] = {0x3B82F6, 0x8B5CF6, 0xEC4899, 0xF59E0B,
                                     0x10B981, 0x06B6D4, 0xEF4444, 0x6366F1};
    int64_t n_named = (int64_t)AS_COUNT(named);
    index = AS_MAX(index, 0);
    return index < n_named ? color_hex(named[index])
                           : further_hue(0.66f, 0.17f, 125.0, index - n_named);
}
