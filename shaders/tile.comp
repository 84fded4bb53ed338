#version 430 core
layout(local_size_x = 16, local_size_y = 16) in;

// Values of a matrix that is never stored, by the formulas of src/attention (kernels/polynomial.h):
//   s = (scale * q_i) . k_j,  s = cap tanh(s / cap),  s += bias[j - i + zero]
//   w = exp(s - reference_i) * factor_i  where first_i <= j < end_i
// of one head, or the mean or maximum of several, each by itself or reduced over factor x factor.
// A group of 256 makes 64 x 64 pairs at a time, 4 x 4 a thread; see src/gfx/evaluate.c.

struct Head {
    uint q, k, rows, bias; // where in words; q and k of 2 halves a word or 1 float
    int zero, has_bias;
    float scale, cap;
};

layout(std430, binding = 0) readonly buffer Words { uint words[]; };
layout(std430, binding = 1) readonly buffer Heads { Head heads[]; };
layout(std430, binding = 2) readonly buffer Hidden { uint hidden[]; };       // a bit a key of the part
layout(std430, binding = 3) readonly buffer RowScales { float row_scales[]; }; // [heads, rows of the part]
layout(std430, binding = 4) writeonly buffer Values { uint values[]; };
layout(std430, binding = 5) buffer Work { uint blocks_done; }; // not masked as a whole

uniform ivec4 part;        // row0, row1, col0, col1
uniform ivec4 grid;        // factor, values a side of a group, values a row, groups a row
uniform int first_group;
uniform ivec2 size;        // width of q and k, number of heads
uniform ivec4 how;         // 1 = halves; mean over the heads; mean over a value; keys or rows are left out

const int SIDE = 64;
const int CHUNK = 16;
const float NOT_THERE = -3.4e38;
const uint MINUS_INFINITY = 0xFF800000u;

shared float qs[CHUNK * (SIDE + 1)];
shared float ks[CHUNK * (SIDE + 1)];
shared float reference[SIDE];
shared float factor[SIDE];
shared float row_scale[SIDE];
shared int row_first[SIDE];
shared int row_end[SIDE];
shared float cells[SIDE * SIDE];
shared int lowest, highest;

float number(uint at, uint index)
{
    if (how.x == 0) {
        return uintBitsToFloat(words[at + index]);
    }
    vec2 pair = unpackHalf2x16(words[at + (index >> 1)]);
    return (index & 1u) == 0u ? pair.x : pair.y;
}

float exp_of(float x)
{
    float n = round(x * 1.44269502);
    float f = fma(x, 1.44269502, -n);
    float p = fma(0.00132647518, f, 0.00967151206);
    p = fma(p, f, 0.0555073358);
    p = fma(p, f, 0.240222424);
    p = fma(p, f, 0.693147004);
    p = fma(p, f, 1.0);
    return x > -86.6 ? ldexp(p, int(n)) : 0.0;
}

float tanh_of(float y)
{
    float y2 = y * y;
    float p = fma(-0.00570503576, y2, 0.0206391383);
    p = fma(p, y2, -0.053739734);
    p = fma(p, y2, 0.133314431);
    p = fma(p, y2, -0.333332807);
    float small = fma(p * y2, y, y);
    float large = 1.0 - 2.0 / (exp_of(2.0 * min(abs(y), 9.5)) + 1.0);
    return abs(y) > 0.625 ? (y < 0.0 ? -large : large) : small;
}

// What the rows of this block are about; lowest and highest bound the keys that any of them sees.
void load_rows(int t, Head h, int head, int row0)
{
    if (t == 0) {
        lowest = 0x7FFFFFFF;
        highest = 0;
    }
    barrier();
    if (t < SIDE) {
        int i = row0 + t;
        bool there = i < part.y;
        uint at = h.rows + 4u * uint(there ? i : part.x);
        reference[t] = uintBitsToFloat(words[at]);
        factor[t] = uintBitsToFloat(words[at + 1u]);
        row_first[t] = int(words[at + 2u]);
        row_end[t] = there ? int(words[at + 3u]) : 0;
        row_scale[t] = how.w != 0 && there ? row_scales[head * (part.y - part.x) + i - part.x] : 1.0;
        if (row_scale[t] == 0.0) {
            row_end[t] = 0;
        }
        if (row_first[t] < row_end[t]) {
            atomicMin(lowest, row_first[t]);
            atomicMax(highest, row_end[t]);
        }
    }
    barrier();
}

void load_chunk(int t, Head h, int row0, int col0, int d0)
{
    for (int n = 0; n < SIDE * CHUNK / 256; n++) {
        int index = t + 256 * n;
        int d = d0 + index % CHUNK;
        int r = index / CHUNK;
        int i = row0 + r;
        int j = col0 + r;
        int to = index % CHUNK * (SIDE + 1) + r;
        qs[to] = d < size.x && i < part.y ? h.scale * number(h.q, uint(i) * uint(size.x) + uint(d)) : 0.0;
        ks[to] = d < size.x && j < part.w ? number(h.k, uint(j) * uint(size.x) + uint(d)) : 0.0;
    }
}

float weight(Head h, float s, int r, int row0, int j)
{
    if (j < row_first[r] || j >= row_end[r] || j >= part.w) {
        return NOT_THERE;
    }
    if (how.w != 0 && (hidden[uint(j - part.z) >> 5] >> (uint(j - part.z) & 31u) & 1u) != 0u) {
        return NOT_THERE;
    }
    if (h.cap > 0.0) {
        s = h.cap * tanh_of(s / h.cap);
    }
    if (h.has_bias != 0) {
        s += uintBitsToFloat(words[h.bias + uint(j - row0 - r + h.zero)]);
    }
    return exp_of(s - reference[r]) * factor[r] * row_scale[r];
}

// The weights of 64 x 64 pairs: w[4 a + b] is of row ty + 16 a, column tx + 16 b. Flow is uniform.
void block(int row0, int col0, out float w[16])
{
    int tx = int(gl_LocalInvocationID.x);
    int ty = int(gl_LocalInvocationID.y);
    int t = int(gl_LocalInvocationIndex);
    for (int n = 0; n < 16; n++) {
        w[n] = NOT_THERE;
    }
    for (int head = 0; head < size.y; head++) {
        Head h = heads[head];
        load_rows(t, h, head, row0);
        bool seen = lowest < min(col0 + SIDE, part.w) && highest > col0;
        barrier();
        if (!seen) {
            continue;
        }
        if (t == 0) {
            atomicAdd(blocks_done, 1u);
        }
        float s[16];
        for (int n = 0; n < 16; n++) {
            s[n] = 0.0;
        }
        for (int d0 = 0; d0 < size.x; d0 += CHUNK) {
            load_chunk(t, h, row0, col0, d0);
            barrier();
            for (int d = 0; d < CHUNK; d++) {
                int at = d * (SIDE + 1);
                float q[4];
                float k[4];
                for (int n = 0; n < 4; n++) {
                    q[n] = qs[at + ty + 16 * n];
                    k[n] = ks[at + tx + 16 * n];
                }
                for (int n = 0; n < 16; n++) {
                    s[n] = fma(q[n >> 2], k[n & 3], s[n]);
                }
            }
            barrier();
        }
        for (int n = 0; n < 16; n++) {
            float x = weight(h, s[n], ty + 16 * (n >> 2), row0, col0 + tx + 16 * (n & 3));
            if (how.y != 0) {
                w[n] = x == NOT_THERE ? w[n] : w[n] == NOT_THERE ? x : w[n] + x;
            } else {
                w[n] = max(w[n], x);
            }
        }
    }
    float share = how.y != 0 ? 1.0 / float(size.y) : 1.0;
    for (int n = 0; n < 16; n++) {
        w[n] = w[n] == NOT_THERE ? w[n] : w[n] * share;
    }
}

void put(int row, int col, float most, float sum)
{
    int f = grid.x;
    ivec2 from = ivec2(part.x + row * f, part.z + col * f);
    ivec2 n = min(from + f, part.yw) - from;
    float value = how.z != 0 ? sum / (float(n.x) * float(n.y)) : most;
    values[row * grid.z + col] = most == NOT_THERE ? MINUS_INFINITY : floatBitsToUint(value);
}

// One value from several blocks.
void reduce_far(int row, int col)
{
    int t = int(gl_LocalInvocationIndex);
    ivec2 from = ivec2(part.x + row * grid.x, part.z + col * grid.x);
    ivec2 to = min(from + grid.x, part.yw);
    float most = NOT_THERE;
    float sum = 0.0;
    for (int row0 = from.x; row0 < to.x; row0 += SIDE) {
        for (int col0 = from.y; col0 < to.y; col0 += SIDE) {
            float w[16];
            block(row0, col0, w);
            for (int n = 0; n < 16; n++) {
                int i = row0 + int(gl_LocalInvocationID.y) + 16 * (n >> 2);
                int j = col0 + int(gl_LocalInvocationID.x) + 16 * (n & 3);
                if (i < to.x && j < to.y) {
                    most = max(most, w[n]);
                    sum += max(w[n], 0.0);
                }
            }
        }
    }
    cells[t] = most;
    cells[256 + t] = sum;
    barrier();
    for (int n = 128; n > 0; n /= 2) {
        if (t < n) {
            cells[t] = max(cells[t], cells[t + n]);
            cells[256 + t] += cells[256 + t + n];
        }
        barrier();
    }
    if (t == 0) {
        put(row, col, cells[0], cells[256]);
    }
}

// Several values from one block.
void reduce_near(int row, int col)
{
    int f = grid.x;
    int side = grid.y;
    int row0 = part.x + row * f;
    int col0 = part.z + col * f;
    float w[16];
    block(row0, col0, w);
    for (int n = 0; n < 16; n++) {
        int r = int(gl_LocalInvocationID.y) + 16 * (n >> 2);
        int c = int(gl_LocalInvocationID.x) + 16 * (n & 3);
        cells[r * SIDE + c] = w[n];
    }
    barrier();
    int rows = (part.y - part.x + f - 1) / f;
    for (int v = int(gl_LocalInvocationIndex); v < side * side; v += 256) {
        int r = v / side;
        int c = v % side;
        if (row + r >= rows || col + c >= grid.z) {
            continue;
        }
        float most = NOT_THERE;
        float sum = 0.0;
        int row_stop = min((r + 1) * f, part.y - row0);
        int col_stop = min((c + 1) * f, part.w - col0);
        for (int i = r * f; i < row_stop; i++) {
            for (int j = c * f; j < col_stop; j++) {
                float x = cells[i * SIDE + j];
                most = max(most, x);
                sum += max(x, 0.0);
            }
        }
        put(row + r, col + c, most, sum);
    }
}

void main()
{
    int group = first_group + int(gl_WorkGroupID.x);
    int row = group / grid.w * grid.y;
    int col = group % grid.w * grid.y;
    if (grid.y > 1) {
        reduce_near(row, col);
    } else {
        reduce_far(row, col);
    }
}
