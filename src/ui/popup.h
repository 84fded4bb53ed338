#pragma once
/*
 * The one list that can hang below a drop-down, drawn above everything at the end of a pass.
 */
#include "ui/ui.h"

/** Opens the list of drop-down `id` or closes it when it is open. */
void popup_toggle(Ui *ui, UiId id);
/** Called by the drop-down in every pass while its list is open. The texts are borrowed until
 *  ui_end. A list that is longer than the window scrolls. */
void popup_offer(Ui *ui, UiId id, Rect anchor, const char *const *items, int n_items, int current);
/** The item picked since the last pass, or -1. */
int popup_take(Ui *ui, UiId id);
/** Called by ui_begin and ui_end. */
void popup_keys(Ui *ui);
void popup_draw(Ui *ui);
