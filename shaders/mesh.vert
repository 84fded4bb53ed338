#version 330 core
// Triangles with anti-aliased edges; see MeshVertex in src/gfx/mesh.h for the fields.
layout(location = 0) in vec2 in_at;
layout(location = 1) in vec4 in_across; // u along, v across, length, half width
layout(location = 2) in vec2 in_edge;   // soft edge, 1 = round ends, 2 = added, 3 = both
layout(location = 3) in vec4 in_color;
layout(location = 4) in vec4 in_clip;

uniform vec2 viewport;

out vec4 across;
out vec2 edge;
out vec4 color;
flat out vec4 clip;

void main()
{
    gl_Position = vec4(in_at.x * 2.0 / viewport.x - 1.0, 1.0 - in_at.y * 2.0 / viewport.y, 0.0, 1.0);
    across = in_across;
    edge = in_edge;
    color = in_color;
    clip = in_clip;
}
