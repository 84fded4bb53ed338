#version 330 core
// Pieces of curves and dots; SceneVertex in src/draw/scene3d.h has the fields.
layout(location = 0) in vec2 in_at;
layout(location = 1) in vec4 in_place; // along, across, length, half width
layout(location = 2) in vec4 in_light; // glow px, its strength, core, 1 = added
layout(location = 3) in vec4 in_color;
uniform vec2 viewport;
out vec4 place;
flat out vec4 light;
out vec4 color;

void main()
{
    gl_Position = vec4(in_at.x * 2.0 / viewport.x - 1.0, 1.0 - in_at.y * 2.0 / viewport.y, 0.0, 1.0);
    place = in_place;
    light = in_light;
    color = in_color;
}
