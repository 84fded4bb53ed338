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

// A rounded box with a border, anti-aliased: straight edges by the exact overlap of a pixel with
// the box, corners by the distance to their circle.
// box: x0 y0 x1 y1. p: radius, border, soft edge, 1 = added. color0/1: fill top/bottom, color2: border.
float straight(vec2 at, vec4 b)
{
    vec2 lo = max(at - 0.5, b.xy);
    vec2 hi = min(at + 0.5, b.zw);
    vec2 side = clamp(hi - lo, 0.0, 1.0);
    return side.x * side.y;
}

float coverage(vec2 at, vec4 b, float radius)
{
    vec2 center = (b.xy + b.zw) * 0.5;
    vec2 half_size = (b.zw - b.xy) * 0.5;
    vec2 d = abs(at - center) - (half_size - radius);
    float round_corner = clamp(0.5 + radius - length(max(d, 0.0)), 0.0, 1.0);
    return radius > 0.0 && min(d.x, d.y) > 0.0 ? round_corner : straight(at, b);
}

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    vec4 fill = mix(color0, color1, clamp((at.y - box.y) / (box.w - box.y), 0.0, 1.0));
    float outer;
    if (p.z > 0.0) {
        vec2 half_size = (box.zw - box.xy) * 0.5;
        vec2 d = abs(at - (box.xy + box.zw) * 0.5) - (half_size - p.x);
        float far = length(max(d, 0.0)) - p.x;
        outer = 1.0 - smoothstep(0.0, p.z, far);
    } else {
        outer = coverage(at, box, p.x);
    }
    float inner = outer;
    if (p.y > 0.0) {
        vec4 inside = vec4(box.xy + p.y, box.zw - p.y);
        inner = min(outer, coverage(at, inside, max(p.x - p.y, 0.0)));
    }
    float edge = outer - inner;
    float a = fill.a * inner + color2.a * edge;
    vec3 c = fill.rgb * fill.a * inner + color2.rgb * color2.a * edge;
    result = vec4(c, a * (1.0 - p.w));
}
