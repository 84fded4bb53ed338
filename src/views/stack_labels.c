#include "views/stack.h"

#include "views/internal.h"

void stack_labels_draw(StackModel *m)
{
    (void)m;
}
