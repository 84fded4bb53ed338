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

// The soft shadow of a rounded box: a smooth step over the distance to a box whose corners are rounder
// by the blur; the box that casts it is left out. box: the shadow's box. p: radius, sigma, how far below
// its box it lies, 1 = added. color0.
float covered(vec2 at, vec4 b, float radius)
{
    vec2 half_size = (b.zw - b.xy) * 0.5;
    radius = min(radius, min(half_size.x, half_size.y));
    vec2 d = abs(at - (b.xy + b.zw) * 0.5) - (half_size - radius);
    vec2 side = clamp(min(at + 0.5, b.zw) - max(at - 0.5, b.xy), 0.0, 1.0);
    bool corner = radius > 0.0 && min(d.x, d.y) > 0.0;
    return corner ? clamp(0.5 + radius - length(d), 0.0, 1.0) : side.x * side.y;
}

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float radius = p.x + p.y;
    vec2 half_size = (box.zw - box.xy) * 0.5;
    radius = min(radius, min(half_size.x, half_size.y));
    vec2 d = abs(at - (box.xy + box.zw) * 0.5) - (half_size - radius);
    float far = length(max(d, 0.0)) + min(max(d.x, d.y), 0.0) - radius;
    // The normal distribution's integral, by a logistic curve (Bowling et al. 2009).
    float z = far / p.y;
    float a = color0.a / (1.0 + exp(1.702 * z));
    a *= 1.0 - covered(at, box - vec4(0.0, p.z, 0.0, p.z), p.x);
    result = vec4(color0.rgb * a, a * (1.0 - p.w));
}
