#version 330 core
// Lines at 45 degrees inside a polygon. across: line width, distance to the edge, spacing along x, edge;
// edge.x: where the first line meets the x axis.
in vec4 across;
in vec2 edge;
in vec4 color;
flat in vec4 clip;
uniform vec2 viewport;
out vec4 result;

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float inside = clamp(across.w + 0.5 - across.y, 0.0, 1.0);
    float spacing = across.z;
    float d = abs(mod(at.x + at.y - edge.x + spacing * 0.5, spacing) - spacing * 0.5) * 0.70710678;
    float w = across.x * 0.5;
    float c = inside * clamp(min(d + 0.5, w) - max(d - 0.5, -w), 0.0, 1.0);
    bool outside = any(lessThan(at, clip.xy)) || any(greaterThan(at, clip.zw));
    float a = outside ? 0.0 : color.a * c;
    result = vec4(color.rgb * a, edge.y > 1.5 ? 0.0 : a);
}
