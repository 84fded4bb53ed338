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

// A glyph of any large size from its distance field (Green, "Improved Alpha-Tested Magnification for Vector
// Textures", 2007), which stands in the glyph atlas. box: the field on the screen; q: its corner in the
// atlas and its size there; p.x: device pixels that the whole range of distances covers, p.w: 1 = added;
// color0.
uniform sampler2D atlas;

float texel(vec2 at)
{
    return texelFetch(atlas, ivec2(q.xy + clamp(at, vec2(0.0), q.zw - 1.0)), 0).r;
}

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    vec2 uv = (at - box.xy) / (box.zw - box.xy) * q.zw - 0.5;
    vec2 i = floor(uv);
    vec2 f = uv - i;
    float top = mix(texel(i), texel(i + vec2(1.0, 0.0)), f.x);
    float low = mix(texel(i + vec2(0.0, 1.0)), texel(i + vec2(1.0, 1.0)), f.x);
    float inside = (mix(top, low, f.y) - 128.0 / 255.0) * p.x;
    float a = color0.a * clamp(0.5 + inside, 0.0, 1.0);
    result = vec4(color0.rgb * a, a * (1.0 - p.w));
}
