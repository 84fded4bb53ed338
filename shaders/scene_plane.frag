#version 330 core
// A sheet with cells. Textures hold the scaled value times "is there" in red and "is there" in green,
// with a pyramid of maxima. A pixel's cell is the one under its middle; where two cells meet they are
// mixed over one pixel, and a gap lies between cells that are large enough.
in vec2 uv;
uniform sampler2D values, next_values, maps;
uniform vec4 size;  // columns, rows; of next
uniform vec4 sheet; // straight
uniform vec4 law;   // opacity of a cell at 0, what it has more at 1, skip, opacity of the whole
uniform vec4 mode;  // mix, row of maps, gap px, unused
out vec4 result;

vec4 cells(sampler2D from, vec2 n, float gap)
{
    vec2 t = uv * n;
    vec2 w = max(vec2(length(vec2(dFdx(t.x), dFdy(t.x))), length(vec2(dFdx(t.y), dFdy(t.y)))), 1e-6);
    vec2 f = fract(t);
    vec2 sharp = floor(t) + clamp(f / w, 0.0, 0.5) + clamp((f - 1.0) / w + 0.5, 0.0, 0.5);
    float level = log2(max(max(w.x, w.y) * 0.7, 1.0));
    vec2 there = textureLod(from, mix(sharp, t, clamp(level * 2.0, 0.0, 1.0)) / n, level).rg;
    float value = there.g > 0.0 ? there.r / there.g : 0.0;
    float x = value * 255.0;
    int i = min(int(x), 254);
    int row = int(mode.y + 0.5);
    vec3 c = mix(texelFetch(maps, ivec2(i, row), 0).rgb, texelFetch(maps, ivec2(i + 1, row), 0).rgb,
                 x - float(i));
    float a = there.g * (law.x + law.y * value) * step(law.z, value);
    float large = smoothstep(4.0, 9.0, 1.0 / max(w.x, w.y));
    vec2 edge = min(f, 1.0 - f) / w;
    float inside = clamp(min(edge.x, edge.y) - gap * 0.5 + 0.5, 0.0, 1.0);
    a *= mix(1.0, inside, large * min(gap, 1.0));
    return vec4(c * a, a);
}

void main()
{
    vec2 w = vec2(length(vec2(dFdx(uv.x), dFdy(uv.x))), length(vec2(dFdx(uv.y), dFdy(uv.y))));
    vec2 edge = clamp(min(uv, 1.0 - uv) / max(w, 1e-6) + 0.5, 0.0, 1.0);
    float cover = edge.x * edge.y * law.w;
    vec4 c = vec4(0.0);
    if (size.x > 0.0) {
        c = cells(values, size.xy, mode.z);
    }
    if (mode.x > 0.0) {
        c = mix(c, cells(next_values, size.zw, mode.z), mode.x);
    }
    result = (c + vec4(sheet.rgb, 1.0) * sheet.a * (1.0 - c.a)) * cover;
}
