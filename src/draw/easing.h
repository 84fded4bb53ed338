#pragma once
/*
 * Motion as a function of time: easing curves and a tween that can be given a new goal at any time
 * without a jump. Seconds in, values out; no clock inside. Any thread.
 */
#include "base/base.h"

/** How long a hover, a change of state and a camera move take. */
#define EASE_HOVER_S  0.12
#define EASE_STATE_S  0.3
#define EASE_CAMERA_S 0.6

/** 1 - (1 - t)^3 with t clamped to 0..1: fast at first, slow at the end. */
double ease_out_cubic(double t);
/** Slow, fast, slow: for things that fly. */
double ease_in_out_cubic(double t);
/** Where t lies between a and b, clamped to 0..1. */
double ease_span(double t, double a, double b);

/** A value on its way. Zero rests at 0. */
typedef struct Tween {
    double from, to;
    double slope;      /* speed at the start, units per second, kept when retargeted */
    double start_s;    /* when it was given its goal */
    double duration_s; /* 0: it is there */
} Tween;

/** At rest at value. */
Tween tween_at(double value);
/** Value at now_s. Never past its goal after start_s + duration_s. */
double tween_value(const Tween *tween, double now_s);
/** Speed at now_s, units per second. */
double tween_slope(const Tween *tween, double now_s);
/** Gives a new goal from wherever it is now: never a jump, the speed kept where the goal lies ahead
 *  (else it turns at once). The same goal again changes nothing. duration_s <= 0 jumps (reduced
 * motion). */
void tween_to(Tween *tween, double goal, double now_s, double duration_s);
/** Is it still moving at now_s? */
bool tween_moves(const Tween *tween, double now_s);
