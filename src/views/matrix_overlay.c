#include "views/internal.h"

#include <math.h>
#include <string.h>

void matrix_draw_overlay(const MatrixScene *s)
{
    (void)s;
}
