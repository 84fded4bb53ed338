#version 330 core
// The ribbon itself covers; its glow is light added beyond its edge, falling off as a square.
in vec4 place;
flat in vec4 light;
in vec4 color;
uniform float fade;
out vec4 result;

void main()
{
    float beyond = max(max(-place.x, place.x - place.z), 0.0);
    float v = beyond > 0.0 ? length(vec2(beyond, place.y)) : abs(place.y);
    float half_px = place.w;
    float cover = clamp(min(v + 0.5, half_px) - max(v - 0.5, -half_px), 0.0, 1.0);
    float a = color.a * cover * fade;
    float core = light.z * (1.0 - smoothstep(0.15, 0.45, v / max(half_px, 0.5)));
    vec3 c = mix(color.rgb, vec3(1.0), core);
    float far = clamp(1.0 - max(v - half_px, 0.0) / max(light.x, 1e-3), 0.0, 1.0);
    float glow = light.x > 0.0 ? far * far * light.y * fade * (1.0 - a) : 0.0;
    result = vec4(c * a + color.rgb * glow, light.w > 0.5 ? 0.0 : a);
}
