#pragma once
/** Monotonic seconds since an arbitrary start. Any thread. */
double clock_now_s(void);
