#version 330 core
// Something small on its way along a cubic: where it is follows from the time; see particle_at in
// src/draw/curves.c.
layout(location = 0) in uint in_curve;
layout(location = 1) in vec3 in_way;  // phase, ways a second, when it enters
layout(location = 2) in vec3 in_size; // radius, reach of its light, tail (logical px)
layout(location = 3) in vec4 in_color;

uniform samplerBuffer curves; // two texels a curve: a, c1; c2, b
uniform vec2 viewport;
uniform vec2 frame; // device px a logical px, seconds

out vec2 at; // device px from its middle, x forwards
flat out vec3 size;
flat out vec4 color;

void main()
{
    vec4 e0 = texelFetch(curves, int(in_curve) * 2);
    vec4 e1 = texelFetch(curves, int(in_curve) * 2 + 1);
    float t = fract(in_way.x + in_way.y * frame.y);
    float u = 1.0 - t;
    vec2 middle = u * u * u * e0.xy + 3.0 * u * u * t * e0.zw + 3.0 * u * t * t * e1.xy + t * t * t * e1.zw;
    vec2 slope = u * u * (e0.zw - e0.xy) + 2.0 * u * t * (e1.xy - e0.zw) + t * t * (e1.zw - e1.xy);
    slope = dot(slope, slope) > 1e-8 ? slope : e1.zw - e0.xy;
    slope = dot(slope, slope) > 1e-8 ? normalize(slope) : vec2(1.0, 0.0);
    slope *= in_way.y < 0.0 ? -1.0 : 1.0;
    float seen = smoothstep(0.0, 0.3, frame.y - in_way.z) * smoothstep(0.0, 0.03, t) * smoothstep(0.0, 0.03, u);
    size = in_size * frame.x;
    float r = max(size.x, size.y) + 1.0;
    color = vec4(in_color.rgb, in_color.a * seen);
    bool front = gl_VertexID == 1 || gl_VertexID == 3;
    at = vec2(front ? r : -r - size.z, gl_VertexID >= 2 ? r : -r);
    vec2 px = middle * frame.x + slope * at.x + vec2(-slope.y, slope.x) * at.y;
    gl_Position = vec4(px.x * 2.0 / viewport.x - 1.0, 1.0 - px.y * 2.0 / viewport.y, 0.0, 1.0);
    if (color.a <= 0.0) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    }
}
