#pragma once
/*
 * Numbers of a file as floats: 16-bit floats widened, ggml's quantised blocks expanded.
 * Same bits as the gguf package's dequantize. Any thread.
 */
#include "base/dtype.h"

/** Can dequant_rows read this type? F32 F16 BF16 F64, Q4_0 Q4_1 Q5_0 Q5_1 Q8_0, Q2_K..Q6_K,
 *  IQ4_NL IQ4_XS. */
bool dequant_supported(DType type);
/**
 * n_elements numbers of a type as floats; F64 is rounded.
 *
 * src   whole blocks, little endian, any alignment
 * dst   [n_elements], must not overlap src
 * Errors   ERR_UNSUPPORTED names the type; ERR_RANGE when n_elements is no whole number of blocks
 * Source   block layouts of ggml (ggml-common.h), checked against the gguf package
 * Test     tests/unit/compute/test_dequant.c
 */
AS_MUST_CHECK bool dequant_rows(DType type, const void *src, size_t n_elements, float *dst,
                                Error *err);
/**
 * Rows [row, row + n_rows) of a matrix with n_columns (whole blocks) a row, of which src is the
 * first byte. dst [n_rows, n_columns]. The caller knows that the rows are there. Errors as above.
 */
AS_MUST_CHECK bool dequant_row_range(DType type, const void *src, size_t n_columns, size_t row,
                                     size_t n_rows, float *dst, Error *err);
