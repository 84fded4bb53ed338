#version 330 core
// A cubic as a strip of triangles, one instance a curve; the formulas are those of src/draw/curves.c.
layout(location = 0) in vec4 in_ends0;  // a, c1 (logical px)
layout(location = 1) in vec4 in_ends1;  // c2, b
layout(location = 2) in vec4 in_widths; // at t = 0, 1/2, 1; when it enters
layout(location = 3) in vec4 in_light;  // reach of the glow, its opacity, share of the core
layout(location = 4) in vec4 in_color0;
layout(location = 5) in vec4 in_color1;

uniform vec2 viewport;
uniform vec4 frame; // device px a logical px, segments, seconds, seconds a curve is drawn in
uniform float quality; // 1 = all of the glow

out float along;
out float across; // device px from the middle line
flat out vec3 light_core; // opacity of the glow, share of the core, what is not seen any more
out vec2 reach; // half width, half width with glow
out vec4 color;

float eased(float t)
{
    float u = 1.0 - clamp(t, 0.0, 1.0);
    return 1.0 - u * u * u;
}

void main()
{
    float drawn = frame.w > 0.0 ? eased((frame.z - in_widths.w) / frame.w) : 1.0;
    float t = drawn * float(gl_VertexID / 2) / frame.y;
    float u = 1.0 - t;
    vec2 a = in_ends0.xy;
    vec2 c1 = in_ends0.zw;
    vec2 c2 = in_ends1.xy;
    vec2 b = in_ends1.zw;
    vec2 at = u * u * u * a + 3.0 * u * u * t * c1 + 3.0 * u * t * t * c2 + t * t * t * b;
    vec2 slope = u * u * (c1 - a) + 2.0 * u * t * (c2 - c1) + t * t * (b - c2);
    vec2 bend = u * (c2 - 2.0 * c1 + a) + t * (b - 2.0 * c2 + c1);
    float speed = length(slope);
    float turn = speed > 1e-4 ? 2.0 * (slope.x * bend.y - slope.y * bend.x) / (3.0 * speed * speed * speed) : 0.0;
    slope = dot(slope, slope) > 1e-8 ? slope : b - a;
    slope = dot(slope, slope) > 1e-8 ? normalize(slope) : vec2(1.0, 0.0);
    vec3 w = in_widths.xyz;
    float width = max(w.x + t * (4.0 * w.y - 3.0 * w.x - w.z) + t * t * (2.0 * (w.x + w.z) - 4.0 * w.y), 0.0);
    float half_width = width * 0.5 * frame.x;
    // Light that nobody would see is not drawn: below half a step of 255, and below more the less time
    // there is.
    float least = mix(0.05, 0.002, quality);
    bool glows = in_light.y > least && in_light.x > 0.0;
    reach = vec2(half_width, half_width + in_light.x * frame.x);
    float seen = glows ? reach.y * (1.0 - sqrt(least / in_light.y)) : 0.0;
    across = (max(half_width, seen) + 1.0) * (gl_VertexID % 2 == 0 ? -1.0 : 1.0);
    // The inner side of a tight turn ends where the turn's centre is, or it would fold over.
    float most = across * turn > 0.0 ? 0.98 * frame.x / abs(turn) : 1e9;
    across = clamp(across, -most, most);
    along = t;
    light_core = vec3(glows ? in_light.y : 0.0, in_light.z, least);
    color = mix(in_color0, in_color1, t);
    vec2 px = at * frame.x + vec2(-slope.y, slope.x) * across;
    gl_Position = vec4(px.x * 2.0 / viewport.x - 1.0, 1.0 - px.y * 2.0 / viewport.y, 0.0, 1.0);
    if (drawn <= 0.0) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    }
}
