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

// A picture in straight alpha. box: where the whole of it lies. q.xy: its size in texels.
uniform sampler2D picture;
void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    vec4 c = texture(picture, (at - box.xy) / (box.zw - box.xy));
    float a = c.a * color0.a;
    result = vec4(c.rgb * a, a * (1.0 - p.w));
}
