#include "benchmark/internal.h"

#include <math.h>
#include <stdlib.h>

bool bench_status(AttnStatus status, const char *message, Error *err)
{
    if (status == ATTN_OK) {
        return true;
    }
    ErrorCode code = status == ATTN_MEMORY      ? ERR_MEMORY
                     : status == ATTN_CANCELLED ? ERR_CANCELLED
                     : status == ATTN_ISA       ? ERR_UNSUPPORTED
                     : status == ATTN_PRECISION ? ERR_UNSUPPORTED
                                                : ERR_RANGE;
    return error_set(err, code, "bench: %s",
                     message && message[0] ? message : attn_status_text(status));
}

const char *bench_precision_name(AttnPrecision precision)
{
    static const char *const names[ATTN_PRECISION_COUNT] = {[ATTN_PRECISION_EXACT] = "f32",
                                                            [ATTN_PRECISION_BF16] = "bf16",
                                                            [ATTN_PRECISION_BF16_PV] = "bf16-pv"};
    return precision < ATTN_PRECISION_COUNT ? names[precision] : "?";
}

double bench_peak_of(const BenchMachine *machine, AttnPrecision precision)
{
    double exact = machine->peak_gflops, bf16 = machine->bf16_gflops;
    if (precision == ATTN_PRECISION_EXACT || !(exact > 0 && bf16 > 0)) {
        return precision == ATTN_PRECISION_EXACT ? exact : 0;
    }
    return precision == ATTN_PRECISION_BF16 ? bf16 : 2 / (1 / exact + 1 / bf16);
}

bool bench_has_precision(const AttnCtx *ctx, AttnPrecision precision, Error *err)
{
    return attn_ctx_has_precision(ctx, precision) ||
           error_set(err, ERR_UNSUPPORTED,
                     "bench: no products in %s with %s here; they need AVX-512 with its bf16 part",
                     bench_precision_name(precision), attn_ctx_isa_name(ctx));
}

bool bench_precision_check(AttnIsa isa, AttnPrecision precision, Error *err)
{
    AttnCtx *ctx = NULL;
    char message[256] = "";
    AttnCtxDesc desc = {.n_threads = 1, .isa = isa};
    AttnStatus status = attn_ctx_create(&desc, &ctx, message, sizeof message);
    bool ok = bench_status(status, message, err) && bench_has_precision(ctx, precision, err);
    attn_ctx_destroy(&ctx);
    return ok;
}

double bench_worse(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

double bench_lse_error(const double *scores, int32_t n_keys, float row_max, float row_log_sum)
{
    double most = -INFINITY, sum = 0;
    for (int32_t j = 0; j < n_keys; j++) {
        most = bench_worse(scores[j], most);
    }
    if (most == -INFINITY) {
        return 0;
    }
    for (int32_t j = 0; j < n_keys; j++) {
        sum += exp(scores[j] - most);
    }
    return fabs(((double)row_max - most) + ((double)row_log_sum - log(sum)));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void bench_summarise(double *times, int n, double *median, double *least)
{
    qsort(times, (size_t)n, sizeof times[0], compare_doubles);
    *median = n % 2 ? times[n / 2] : 0.5 * (times[n / 2 - 1] + times[n / 2]);
    *least = times[0];
}

double bench_idle(double busy_s, double seconds, int n_threads)
{
    double idle = seconds > 0 ? 1 - busy_s / (seconds * n_threads) : 0;
    return idle > 0 ? idle : 0;
}

bool bench_growth(const double *x, const double *y, size_t n, double *slope)
{
    double mean_x = 0, mean_y = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > 0) || !(y[i] > 0)) {
            return false;
        }
        mean_x += log(x[i]) / (double)n;
        mean_y += log(y[i]) / (double)n;
    }
    double xx = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double dx = log(x[i]) - mean_x;
        xx += dx * dx;
        xy += dx * (log(y[i]) - mean_y);
    }
    /* Equal x differ by rounding of the mean only. */
    if (!(xx > 1e-9)) {
        return false;
    }
    *slope = xy / xx;
    return true;
}

float *bench_lay_outputs(float *next, size_t n_o, size_t rows, size_t texels, AttnOutputs *lean,
                         AttnOutputs *full)
{
    lean->o = next, next += n_o;
    lean->row_max = next, next += rows;
    lean->row_log_sum = next, next += rows;
    *full = *lean;
    AttnRowStats *stats = &full->rows;
    float **arrays[] = {&stats->entropy,      &stats->distance,    &stats->max_weight,
                        &stats->first_weight, &stats->self_weight, &stats->prev_weight};
    for (size_t i = 0; i < AS_COUNT(arrays); i++) {
        *arrays[i] = next, next += rows;
    }
    stats->max_key = (int32_t *)(void *)next, next += rows;
    full->summary_mean = next, next += texels;
    full->summary_max = next, next += texels;
    return next;
}
