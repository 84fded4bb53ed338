#version 330 core
// A level sheet, a little larger than it is so that its edges can fade. corner: homogeneous device px
// (x w, y w, w) of (u, v) = (0, 0), (1, 0), (0, 1), (1, 1); reach: how much of u and v a pixel covers
// there; grown: how far u and v go beyond 0..1.
uniform vec3 corner[4];
uniform vec2 reach[4];
uniform vec2 grown;
uniform vec2 viewport;
out vec2 uv;
out vec2 pixel;

void main()
{
    vec2 k = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    uv = mix(-grown, 1.0 + grown, k);
    pixel = reach[gl_VertexID];
    // Bilinear in homogeneous coordinates: exact, as the sheet is flat.
    vec3 p = mix(mix(corner[0], corner[1], uv.x), mix(corner[2], corner[3], uv.x), uv.y);
    gl_Position = vec4(p.x * 2.0 / viewport.x - p.z, p.z - p.y * 2.0 / viewport.y, 0.0, p.z);
}
