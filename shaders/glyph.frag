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

// Coverage from the glyph atlas, pixel for pixel. box.xy: where the picture's corner lies on the screen;
// q.xy: its corner in the atlas; p.w: 1 = added; color0. Blended in sRGB like everything else.
uniform sampler2D atlas;
void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float c = texelFetch(atlas, ivec2(floor(at - box.xy) + q.xy), 0).r;
    float a = color0.a * c;
    result = vec4(color0.rgb * a, a * (1.0 - p.w));
}
