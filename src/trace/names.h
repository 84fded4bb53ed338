#pragma once
/* Names in a trace file, shared by save.c and open.c; README.md documents them. */
#include "trace/trace.h"

#define TRACE_FILE_FORMAT  "attnscope-trace"
#define TRACE_FILE_VERSION 2 /* 1: without stacks, biases and pictures */

static const char *const trace_store_names[] = {"all", "qkv", "qk"};
static const char *const trace_dtype_names[] = {"f32", "f16"};
static const char *const trace_mask_names[] = {"auto", "causal", "none"};
