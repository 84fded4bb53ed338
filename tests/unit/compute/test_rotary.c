/*
 * Rotary positions against the formula in float64, and the order of dimensions.
 */
#include "testing.h"

#include "base/random.h"
#include "compute/rotary.h"

enum { N = 37, HEADS = 3, D = 16 };

static void make_table(RotaryTable *table, const RotaryDesc *desc, Arena *arena)
{
    Error err = {0};
    assert_ok(rotary_table_make(table, desc, N, arena, 2, &err), err);
}

static void test_rotary_table_make__angles(void **state)
{
    (void)state;
    Arena arena = {0};
    RotaryTable t;
    make_table(&t, &(RotaryDesc){.width = D, .theta = 10000}, &arena);
    assert_int_equal(t.half, D / 2);
    for (int p = 0; p < N; p++) {
        for (int i = 0; i < D / 2; i++) {
            const double angle = p * pow(10000, -2.0 * i / D);
            assert_true(fabs((double)t.cosine[p * (D / 2) + i] - cos(angle)) < 5e-6);
            assert_true(fabs((double)t.sine[p * (D / 2) + i] - sin(angle)) < 5e-6);
        }
    }
    arena_destroy(&arena);
}

/* Values of Hugging Face transformers' ROPE_INIT_FUNCTIONS for LLaMA 3.1's settings, head width
 * 128: theta 500000, factor 8, low 1, high 4, original 8192. */
static void test_rotary_frequencies__llama3(void **state)
{
    (void)state;
    float f[64];
    rotary_frequencies(&(RotaryDesc){.width = 128,
                                     .theta = 500000,
                                     .scaling = ROTARY_SCALING_LLAMA3,
                                     .factor = 8,
                                     .low_freq_factor = 1,
                                     .high_freq_factor = 4,
                                     .original_positions = 8192},
                       f);
    static const struct {
        int index;
        float value;
    } WANT[] = {{0, 1.0f},
                {1, 0.814617217f},
                {20, 0.0165604409f},
                {28, 0.00321144611f},
                {29, 0.00216657063f},
                {30, 0.00137189368f},
                {32, 0.000524846022f},
                {34, 0.000178507791f},
                {36, 7.78465546e-05f},
                {40, 3.42810235e-05f},
                {63, 3.06892588e-07f}};
    for (size_t i = 0; i < AS_COUNT(WANT); i++) {
        assert_close(&f[WANT[i].index], &WANT[i].value, 1, 0, 2e-7);
    }
}

static void test_rotary_frequencies__linear_and_divisors(void **state)
{
    (void)state;
    float plain[4], linear[4], divided[4];
    const float divisors[] = {1, 2, 4, 8};
    RotaryDesc d = {.width = 8, .theta = 100};
    rotary_frequencies(&d, plain);
    d.divisors = divisors;
    rotary_frequencies(&d, divided);
    d.divisors = NULL;
    d.scaling = ROTARY_SCALING_LINEAR;
    d.factor = 4;
    rotary_frequencies(&d, linear);
    for (int i = 0; i < 4; i++) {
        assert_true(fabs((double)linear[i] * 4 - (double)plain[i]) < 1e-7);
        assert_true(fabs((double)(divided[i] * divisors[i] - plain[i])) < 1e-7);
    }
}

static float source[N][HEADS][D], target[HEADS][N][D];

static void fill_source(void)
{
    Random random = {4};
    for (int i = 0; i < N * HEADS * D; i++) {
        (&source[0][0][0])[i] = (float)random_normal(&random);
    }
}

/* Every case moves the rows in two pieces. */
static void move(const RotaryTable *table, bool interleaved)
{
    static const int CUTS[] = {0, 20, N};
    memset(target, 0, sizeof target);
    for (int i = 0; i < 2; i++) {
        rotary_move_heads(&(RotaryMove){.source = &source[CUTS[i]][0][0],
                                        .target = &target[0][0][0],
                                        .table = table,
                                        .source_stride = HEADS * D,
                                        .row0 = CUTS[i],
                                        .n_rows = CUTS[i + 1] - CUTS[i],
                                        .n_tokens = N,
                                        .n_heads = HEADS,
                                        .head_width = D,
                                        .interleaved = interleaved},
                          1 + i);
    }
}

static void check(int32_t rotary_width, bool turned, bool interleaved)
{
    const int half = rotary_width / 2;
    for (int h = 0; h < HEADS; h++) {
        for (int p = 0; p < N; p++) {
            for (int d = 0; d < D; d++) {
                const float *s = source[p][h];
                double want = (double)s[d];
                if (d < rotary_width) {
                    const int pair = d % half;
                    const double a = (double)s[interleaved ? 2 * pair : pair];
                    const double b = (double)s[interleaved ? 2 * pair + 1 : pair + half];
                    const double angle = turned ? p * pow(10000, -2.0 * pair / rotary_width) : 0;
                    want = d < half ? a * cos(angle) - b * sin(angle)
                                    : b * cos(angle) + a * sin(angle);
                }
                assert_true(fabs((double)target[h][p][d] - want) < 1e-5);
            }
        }
    }
}

static void test_rotary_move_heads__orders_and_partial_width(void **state)
{
    (void)state;
    fill_source();
    for (int variant = 0; variant < 8; variant++) {
        Arena arena = {0};
        RotaryTable t;
        const bool turned = variant & 1, interleaved = variant & 2;
        const int32_t width = variant & 4 && turned ? D / 2 : D;
        make_table(&t, &(RotaryDesc){.width = width, .theta = 10000}, &arena);
        move(turned ? &t : NULL, interleaved);
        check(width, turned, interleaved);
        arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotary_table_make__angles),
        cmocka_unit_test(test_rotary_frequencies__llama3),
        cmocka_unit_test(test_rotary_frequencies__linear_and_divisors),
        cmocka_unit_test(test_rotary_move_heads__orders_and_partial_width),
    };
    return cmocka_run_group_tests_name("rotary", tests, NULL, NULL);
}
