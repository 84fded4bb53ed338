#version 330 core
// What lies behind a scene: three colours from the middle outwards.
uniform vec2 viewport;
uniform vec4 middle; // x, y, radius, opacity
uniform vec3 colors[3];
out vec4 result;

void main()
{
    vec2 at = vec2(gl_FragCoord.x, viewport.y - gl_FragCoord.y);
    float t = clamp(distance(at, middle.xy) / middle.z, 0.0, 1.0) * 2.0;
    vec3 c = t < 1.0 ? mix(colors[0], colors[1], t) : mix(colors[1], colors[2], t - 1.0);
    // Half a step of an 8 bit channel, in a fixed pattern: no bands between near colours.
    vec2 k = mod(floor(at), 4.0);
    float step = mod(k.x * 5.0 + k.y * 11.0 + mod(k.x + k.y, 2.0) * 6.0, 16.0) / 16.0 - 0.46875;
    result = vec4(c + step / 255.0, 1.0) * middle.w;
}
