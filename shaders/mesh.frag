#version 330 core
// A ribbon: the part of a pixel between -half width and +half width across it and between its ends
// along it.
in vec4 across;
in vec2 edge;
in vec4 color;
flat in vec4 clip;
uniform vec2 viewport;
out vec4 result;

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float beyond = max(-across.x, across.x - across.z);
    bool added = edge.y > 1.5;
    bool round_ends = edge.y > 2.5 || (edge.y > 0.5 && edge.y < 1.5);
    float v = round_ends && beyond > 0.0 ? length(vec2(beyond, across.y)) : abs(across.y);
    float w = across.w;
    float c = edge.x > 0.0 ? 1.0 - smoothstep(w, w + edge.x, v)
                           : clamp(min(v + 0.5, w) - max(v - 0.5, -w), 0.0, 1.0);
    c *= round_ends ? 1.0 : clamp(0.5 - beyond, 0.0, 1.0);
    bool outside = any(lessThan(at, clip.xy)) || any(greaterThan(at, clip.zw));
    float a = outside ? 0.0 : color.a * c;
    result = vec4(color.rgb * a, added ? 0.0 : a);
}
