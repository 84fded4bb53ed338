#include "views/stack.h"

#include "views/internal.h"

float stack_strip_width(Rect stage)
{
    return stage.w >= 900 && stage.h >= 480 ? 184 : 0;
}

void stack_side_draw(StackModel *m)
{
    (void)m;
}
