#version 330 core
in vec2 at;
flat in vec3 size; // radius, reach of the light, tail: device px
flat in vec4 color;

uniform vec4 core;  // colour of the dots
uniform vec3 blend; // opacity, 1 = arrows, 1 = the light lies over

out vec4 result;

void main()
{
    float body;
    float light = 0.0;
    if (blend.y > 0.5) {
        // An arrow head: two strokes that meet in front.
        float r = size.x;
        vec2 p = vec2(at.x, abs(at.y));
        vec2 along = vec2(-1.0, 1.0) * 0.7071;
        vec2 from = p - vec2(r * 0.7, 0.0);
        float s = clamp(dot(from, along), 0.0, r * 1.5);
        float far = length(from - along * s);
        body = clamp(r * 0.32 + 0.5 - far, 0.0, 1.0) * color.a;
        body *= blend.x;
        result = vec4(color.rgb * body, body);
        return;
    }
    float far = length(at);
    body = clamp(size.x + 0.5 - far, 0.0, 1.0);
    float halo = max(1.0 - far / max(size.y, 1.0), 0.0);
    light = 0.75 * halo * halo;
    if (size.z > 0.0 && at.x < 0.0) {
        float back = clamp(-at.x / size.z, 0.0, 1.0);
        float w = size.x * (1.0 - back) + 0.5;
        light = max(light, 0.8 * (1.0 - back) * (1.0 - back) * clamp(w + 0.5 - abs(at.y), 0.0, 1.0));
    }
    float b = body * color.a * core.a * blend.x;
    float l = light * color.a * blend.x;
    result = vec4(core.rgb * b + color.rgb * l, b + l * blend.z);
}
