/* Axes: round ticks that hold the data, positions, labels. */
#include "app/chart.h"
#include "testing.h"

static void test_chart_axis_fit__holds_the_data_between_round_ticks(void **state)
{
    (void)state;
    static const struct {
        AxisKind kind;
        double lo, hi;           /* data */
        double axis_lo, axis_hi; /* expected */
        int n_ticks;
        double first_tick, last_tick;
    } rows[] = {
        {AXIS_LINEAR, 3, 480, 0, 500, 6, 0, 500},
        {AXIS_LINEAR, 0, 0.9, 0, 1, 6, 0, 1},
        {AXIS_LINEAR, 0, 0, 0, 1, 6, 0, 1},
        {AXIS_LINEAR, -2, 2, -2, 2, 5, -2, 2},
        {AXIS_LOG10, 1.5, 70, 1, 100, 7, 1, 100},
        {AXIS_LOG10, 0.03, 4e4, 0.02, 5e4, 6, 0.1, 1e4},
        {AXIS_LOG10, 1e-9, 1e9, 1e-9, 1e9, 7, 1e-9, 1e9},
        {AXIS_LOG10, 10, 10, 5, 20, 3, 5, 20},
        {AXIS_LOG2, 300, 5000, 256, 8192, 6, 256, 8192},
        {AXIS_LOG2, 512, 512, 512, 1024, 2, 512, 1024},
        {AXIS_LOG2, 1, 1099511627776.0, 1, 1099511627776.0, 7, 1, 68719476736.0},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ChartAxis axis = {.kind = rows[i].kind};
        chart_axis_fit(&axis, rows[i].lo, rows[i].hi);
        if (fabs(axis.lo - rows[i].axis_lo) > 1e-9 * fabs(axis.lo) ||
            fabs(axis.hi - rows[i].axis_hi) > 1e-9 * axis.hi || axis.n_ticks != rows[i].n_ticks) {
            fail_msg("row %zu: %g..%g, %d ticks", i, axis.lo, axis.hi, axis.n_ticks);
        }
        assert_true(axis.n_ticks >= 2 && axis.n_ticks <= AXIS_MAX_TICKS);
        assert_true(fabs(axis.ticks[0] - rows[i].first_tick) <= 1e-9 * fabs(rows[i].first_tick));
        double last = axis.ticks[axis.n_ticks - 1];
        assert_true(fabs(last - rows[i].last_tick) <= 1e-9 * rows[i].last_tick);
        for (int t = 0; t < axis.n_ticks; t++) {
            double at = chart_axis_at(&axis, axis.ticks[t]);
            assert_true(at > -1e-6 && at < 1 + 1e-6);
            assert_true(t == 0 || axis.ticks[t] > axis.ticks[t - 1]);
        }
    }
}

static void test_chart_axis_at__stands_where_it_should(void **state)
{
    (void)state;
    ChartAxis axis = {.kind = AXIS_LOG10};
    chart_axis_fit(&axis, 1, 10000);
    assert_true(fabs(chart_axis_at(&axis, 1)) < 1e-12);
    assert_true(fabs(chart_axis_at(&axis, 100) - 0.5) < 1e-12);
    assert_true(fabs(chart_axis_at(&axis, 10000) - 1) < 1e-12);
    axis = (ChartAxis){.kind = AXIS_LINEAR};
    chart_axis_fit(&axis, 0, 400);
    assert_true(fabs(chart_axis_at(&axis, 100) - 0.25) < 1e-12);
}

static void test_chart_axis_label__units(void **state)
{
    (void)state;
    static const struct {
        AxisUnit unit;
        double value;
        const char *label;
    } rows[] = {
        {UNIT_PLAIN, 0, "0"},
        {UNIT_PLAIN, 0.5, "0.5"},
        {UNIT_PLAIN, 20000, "20,000"},
        {UNIT_COUNT, 131072, "131,072"},
        {UNIT_BYTES, 1 << 20, "1.0 MiB"},
        {UNIT_MS, 0.05, "50 µs"},
        {UNIT_MS, 20, "20 ms"},
        {UNIT_MS, 5000, "5 s"},
        {UNIT_MS, 1, "1 ms"},
        {UNIT_MS, 1000, "1 s"},
    };
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        char text[32];
        ChartAxis axis = {.unit = rows[i].unit};
        assert_string_equal(chart_axis_label(&axis, rows[i].value, text), rows[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chart_axis_fit__holds_the_data_between_round_ticks),
        cmocka_unit_test(test_chart_axis_at__stands_where_it_should),
        cmocka_unit_test(test_chart_axis_label__units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
