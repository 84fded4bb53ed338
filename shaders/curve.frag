#version 330 core
// A ribbon, its light core and its glow, which is a soft edge here and no second pass.
in float along;
in float across;
flat in vec3 light_core;
in vec2 reach;
in vec4 color;

uniform vec4 core;    // colour of the light cores
uniform vec3 blend;   // opacity, 1 = the ribbon is added, 1 = the glow lies over

out vec4 result;

float covered(float v, float half_width)
{
    return clamp(min(v + 0.5, half_width) - max(v - 0.5, -half_width), 0.0, 1.0);
}

void main()
{
    float body = color.a * covered(across, reach.x);
    vec3 rgb = color.rgb;
    if (light_core.y > 0.0) {
        rgb = mix(rgb, core.rgb, core.a * covered(across, max(reach.x * light_core.y, 0.5)));
    }
    float glow = 0.0;
    if (light_core.x > 0.0) {
        float far = 1.0 - min(abs(across) / reach.y, 1.0);
        glow = max(light_core.x * far * far - light_core.z, 0.0) * smoothstep(0.0, 0.05, along) * smoothstep(0.0, 0.05, 1.0 - along);
    }
    body *= blend.x;
    glow *= blend.x;
    result = vec4(rgb * body + color.rgb * glow, body * (1.0 - blend.y) + glow * blend.z);
}
