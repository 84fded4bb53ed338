#version 330 core
// A sheet with cells. Textures hold the scaled value times "is there" in red and "is there" in green,
// with a pyramid of maxima. A pixel's cell is the one under its middle; where two cells meet they are
// mixed over one pixel, and a gap lies between cells that are large enough. What a pixel covers is
// interpolated from the corners, and the level of the pyramid is one for a sheet: both cost the
// software renderer much less than derivatives.
in vec2 uv;
in vec2 pixel;
uniform sampler2D values, next_values, maps;
uniform vec4 size;  // columns, rows; of next
uniform vec4 sheet; // straight
uniform vec4 law;   // opacity of a cell at 0, what it has more at 1, skip, opacity of the whole
uniform vec4 mode;  // mix, row of maps, gap px, strength of gaps
uniform vec3 taps[2]; // of values, of next: level, how many, 0 = along columns, 1 = along rows
out vec4 result;

// The largest of what a pixel covers, by a few texels of about its size.
vec2 largest(sampler2D from, vec3 tap)
{
    int level = int(tap.x);
    ivec2 side = textureSize(from, level);
    vec2 along = tap.z > 0.5 ? vec2(0.0, pixel.y) : vec2(pixel.x, 0.0);
    vec2 most = vec2(0.0);
    for (int i = 0; i < int(tap.y); i++) {
        vec2 at = uv + along * ((float(i) + 0.5) / tap.y - 0.5);
        most = max(most, texelFetch(from, clamp(ivec2(at * vec2(side)), ivec2(0), side - 1), level).rg);
    }
    return most;
}

vec4 cells(sampler2D from, vec2 n, vec3 tap)
{
    vec2 t = uv * n;
    vec2 w = pixel * n;
    vec2 f = fract(t);
    vec2 sharp = floor(t) + clamp(f / w, 0.0, 0.5) + clamp((f - 1.0) / w + 0.5, 0.0, 0.5);
    vec2 there = tap.x + tap.y > 1.0 ? largest(from, tap) : textureLod(from, sharp / n, 0.0).rg;
    float value = there.r / max(there.g, 1e-3);
    vec3 c = texelFetch(maps, ivec2(int(value * 255.0 + 0.5), int(mode.y + 0.5)), 0).rgb;
    float a = there.g * (law.x + law.y * value) * step(law.z, value);
    if (mode.w > 0.0) {
        vec2 edge = min(f, 1.0 - f) / w;
        a *= mix(1.0, clamp(min(edge.x, edge.y) - mode.z * 0.5 + 0.5, 0.0, 1.0), mode.w);
    }
    return vec4(c * a, a);
}

void main()
{
    vec2 edge = clamp(min(uv, 1.0 - uv) / pixel + 0.5, 0.0, 1.0);
    float cover = edge.x * edge.y * law.w;
    vec4 c = vec4(0.0);
    if (size.x > 0.0) {
        c = cells(values, size.xy, taps[0]);
    }
    if (mode.x > 0.0) {
        c = mix(c, cells(next_values, size.zw, taps[1]), mode.x);
    }
    result = (c + vec4(sheet.rgb, 1.0) * sheet.a * (1.0 - c.a)) * cover;
}
