#version 330 core
flat in vec4 box;
flat in vec4 p;
flat in vec4 q;
flat in vec4 r;
flat in vec4 color0;
flat in vec4 color1;
flat in vec4 color2;
uniform vec2 viewport;
out vec4 result;

// Cells: the value under the pixel's centre, scaled as scale_apply does (src/draw/colormap.c), through
// the colour map's table, linear between its entries.
// box: where all cells lie. q: corner in the texture, columns, rows. r: lo, hi, scale kind, map.
// p: inset, radius, unused, 1 = added; color0.a: opacity; color1: masked.
uniform sampler2D values;
uniform sampler2D maps;

float scaled(float v)
{
    float t;
    if (r.z > 1.5) {
        t = v > 0.0 ? log(v / r.x) / log(r.y / r.x) : 0.0;
    } else {
        t = (v - r.x) / (r.y - r.x);
    }
    t = clamp(t, 0.0, 1.0);
    return r.z > 0.5 && r.z < 1.5 ? sqrt(t) : t;
}

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y) - box.xy;
    vec2 pitch = (box.zw - box.xy) / q.zw;
    vec2 cell = clamp(floor(at / pitch), vec2(0.0), q.zw - 1.0);
    float v = texelFetch(values, ivec2(q.xy + cell), 0).r;
    bool masked = v < -3.0e38;
    float x = scaled(v) * 255.0;
    int i = min(int(x), 254);
    int row = int(r.w + 0.5);
    vec4 c = mix(texelFetch(maps, ivec2(i, row), 0), texelFetch(maps, ivec2(i + 1, row), 0), x - float(i));
    c = masked ? color1 : c;
    float a = c.a * color0.a;
    if (p.x + p.y > 0.0) {
        vec2 half_size = pitch * 0.5 - p.x;
        float radius = min(p.y, min(half_size.x, half_size.y));
        vec2 from = abs(at - (cell + 0.5) * pitch);
        vec2 d = from - (half_size - radius);
        vec2 side = clamp(half_size + 0.5 - from, 0.0, 1.0);
        float corner = clamp(0.5 + radius - length(max(d, 0.0)), 0.0, 1.0);
        a *= min(d.x, d.y) > 0.0 ? corner : side.x * side.y;
    }
    result = vec4(c.rgb * a, a * (1.0 - p.w));
}
