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

// A box of one colour or a vertical gradient, its edges on whole pixels.
// box.y, box.w: top and bottom of the gradient. p.w: 1 = added.
void main()
{
    float y = viewport.y - gl_FragCoord.y;
    vec4 c = mix(color0, color1, clamp((y - box.y) / (box.w - box.y), 0.0, 1.0));
    result = vec4(c.rgb * c.a, c.a * (1.0 - p.w));
}
