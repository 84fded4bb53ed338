#version 330 core
// One instance = one box of the screen, in device pixels from the top left. What the box means is the
// fragment shader's business; see PaintQuad in src/gfx/batch.h for the fields.
layout(location = 0) in vec4 in_quad;
layout(location = 1) in vec4 in_box;
layout(location = 2) in vec4 in_p;
layout(location = 3) in vec4 in_q;
layout(location = 4) in vec4 in_color0;
layout(location = 5) in vec4 in_color1;
layout(location = 6) in vec4 in_color2;
layout(location = 7) in vec4 in_r;

uniform vec2 viewport;

flat out vec4 box;
flat out vec4 p;
flat out vec4 q;
flat out vec4 r;
flat out vec4 color0;
flat out vec4 color1;
flat out vec4 color2;

void main()
{
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 at = mix(in_quad.xy, in_quad.zw, corner);
    gl_Position = vec4(at.x * 2.0 / viewport.x - 1.0, 1.0 - at.y * 2.0 / viewport.y, 0.0, 1.0);
    box = in_box;
    p = in_p;
    q = in_q;
    r = in_r;
    color0 = in_color0;
    color1 = in_color1;
    color2 = in_color2;
}
