#pragma once
/* The tables of the maps that are no formula. Only colormap.c reads them. */
#include "draw/colormap.h"

extern const uint32_t colormap_viridis[COLORMAP_ENTRIES];
extern const uint32_t colormap_magma[COLORMAP_ENTRIES];
extern const uint32_t colormap_cividis[COLORMAP_ENTRIES];
extern const uint32_t colormap_inferno[COLORMAP_ENTRIES];
