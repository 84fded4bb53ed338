#include "base/random.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint64_t random_next(Random *random)
{
    random->state += 0x9E3779B97F4A7C15u;
    return mix(random->state);
}

double random_uniform(Random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

double random_normal(Random *random)
{
    double u = 1.0 - random_uniform(random); /* (0, 1]: log is finite */
    double v = random_uniform(random);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925 * v);
}

uint64_t random_hash(const void *bytes, unsigned long n)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xCBF29CE484222325u;
    for (unsigned long i = 0; i < n; i++) {
        h = (h ^ p[i]) * 0x100000001B3u;
    }
    return mix(h);
}
