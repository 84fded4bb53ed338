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
uniform vec2 level; // of values, of next
out vec4 result;

vec4 cells(sampler2D from, vec2 n, float lod)
{
    vec2 t = uv * n;
    vec2 w = pixel * n;
    vec2 f = fract(t);
    vec2 sharp = floor(t) + clamp(f / w, 0.0, 0.5) + clamp((f - 1.0) / w + 0.5, 0.0, 0.5);
    vec2 there = textureLod(from, (lod > 0.0 ? t : sharp) / n, lod).rg;
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
        c = cells(values, size.xy, level.x);
    }
    if (mode.x > 0.0) {
        c = mix(c, cells(next_values, size.zw, level.y), mode.x);
    }
    result = (c + vec4(sheet.rgb, 1.0) * sheet.a * (1.0 - c.a)) * cover;
}
