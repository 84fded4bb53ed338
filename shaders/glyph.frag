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
// q.xy: its corner in the atlas. p.x: contrast (see text_contrast in src/gfx/paint_text.c). color0.
uniform sampler2D atlas;
void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float c = texelFetch(atlas, ivec2(floor(at - box.xy) + q.xy), 0).r;
    c = clamp(c + p.x * c * (1.0 - c), 0.0, 1.0);
    float a = color0.a * c;
    result = vec4(color0.rgb * a, a * (1.0 - p.w));
}
