#pragma once
/*
 * What `info` says of the machine that would compute: the attention kernels and the way of tiles.
 */
#include "app/app.h"
#include "base/str.h"

/** Rows of a table, or a member "machine" of JSON. Opens a GL context without a window for a moment
 *  unless --gpu-tiles is off; where there is none, that is what is said. */
AS_MUST_CHECK bool info_machine(const App *app, bool json, StrBuf *out, Error *err);
