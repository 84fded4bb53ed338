#version 330 core
// Two triangles over the box of a scene, device px from the top left.
uniform vec4 box;
uniform vec2 viewport;

void main()
{
    vec2 at = mix(box.xy, box.zw, vec2(gl_VertexID & 1, gl_VertexID >> 1));
    gl_Position = vec4(at.x * 2.0 / viewport.x - 1.0, 1.0 - at.y * 2.0 / viewport.y, 0.0, 1.0);
}
