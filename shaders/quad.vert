#version 330 core
// Boxes of the screen, in device pixels from the top left, two triangles each. What a box means is the
// fragment shader's business; PaintQuad in src/gfx/batch.h has the fields. They are fetched from a
// buffer texture: cheaper than instances on the software renderer, and any range can be drawn.
uniform usamplerBuffer quads; // six texels a box
uniform vec2 viewport;

flat out vec4 box;
flat out vec4 p;
flat out vec4 q;
flat out vec4 r;
flat out vec4 color0;
flat out vec4 color1;
flat out vec4 color2;

vec4 unpack(uint c)
{
    return vec4(c & 255u, (c >> 8) & 255u, (c >> 16) & 255u, c >> 24) / 255.0;
}

void main()
{
    int first = gl_VertexID / 6 * 6;
    int k = gl_VertexID - first;
    int corner = k < 3 ? k : k == 3 ? 2 : k == 4 ? 1 : 3;
    vec4 quad = uintBitsToFloat(texelFetch(quads, first));
    box = uintBitsToFloat(texelFetch(quads, first + 1));
    p = uintBitsToFloat(texelFetch(quads, first + 2));
    q = uintBitsToFloat(texelFetch(quads, first + 3));
    r = uintBitsToFloat(texelFetch(quads, first + 4));
    uvec4 colors = texelFetch(quads, first + 5);
    color0 = unpack(colors.x);
    color1 = unpack(colors.y);
    color2 = unpack(colors.z);
    vec2 at = mix(quad.xy, quad.zw, vec2(corner & 1, corner >> 1));
    gl_Position = vec4(at.x * 2.0 / viewport.x - 1.0, 1.0 - at.y * 2.0 / viewport.y, 0.0, 1.0);
}
