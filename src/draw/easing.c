#include "draw/easing.h"

#include <math.h>

double ease_out_cubic(double t)
{
    double u = 1 - AS_CLAMP(t, 0.0, 1.0);
    return 1 - u * u * u;
}

double ease_in_out_cubic(double t)
{
    t = AS_CLAMP(t, 0.0, 1.0);
    double u = 2 - 2 * t;
    return t < 0.5 ? 4 * t * t * t : 1 - u * u * u / 2;
}

double ease_span(double t, double a, double b)
{
    return b > a ? AS_CLAMP((t - a) / (b - a), 0.0, 1.0) : t >= b ? 1.0 : 0.0;
}

Tween tween_at(double value)
{
    return (Tween){.from = value, .to = value};
}

/* A cubic in u = time / duration with p(0) = from, p'(0) = given slope, p(1) = to, p'(1) = 0. From
 * rest that would start slowly, so the slope of a fresh start is that of ease-out (3 * distance):
 * then the cubic is exactly ease_out_cubic. */
double tween_value(const Tween *tween, double now_s)
{
    if (!(tween->duration_s > 0) || now_s >= tween->start_s + tween->duration_s) {
        return tween->to;
    }
    double u = AS_MAX((now_s - tween->start_s) / tween->duration_s, 0.0);
    double d = tween->to - tween->from;
    double m = tween->slope * tween->duration_s;
    return tween->from + u * (m + u * ((3 * d - 2 * m) + u * (m - 2 * d)));
}

double tween_slope(const Tween *tween, double now_s)
{
    if (!tween_moves(tween, now_s)) {
        return 0;
    }
    double u = AS_MAX((now_s - tween->start_s) / tween->duration_s, 0.0);
    double d = tween->to - tween->from;
    double m = tween->slope * tween->duration_s;
    return (m + u * (2 * (3 * d - 2 * m) + u * 3 * (m - 2 * d))) / tween->duration_s;
}

void tween_to(Tween *tween, double goal, double now_s, double duration_s)
{
    if (goal == tween->to && (duration_s > 0 || !tween_moves(tween, now_s))) {
        return;
    }
    double value = tween_value(tween, now_s);
    double slope = tween_slope(tween, now_s);
    if (!(duration_s > 0)) {
        *tween = tween_at(goal);
        return;
    }
    double fresh = 3 * (goal - value) / duration_s;
    /* Moving the same way already: keep that speed, within what does not overshoot. */
    double start = slope * fresh > 0 ? copysign(AS_MIN(fabs(slope), fabs(fresh)), fresh) : fresh;
    *tween = (Tween){
        .from = value, .to = goal, .slope = start, .start_s = now_s, .duration_s = duration_s};
}

bool tween_moves(const Tween *tween, double now_s)
{
    return tween->duration_s > 0 && now_s < tween->start_s + tween->duration_s;
}
