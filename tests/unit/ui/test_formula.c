/* Formulas take the place they say, whatever is in them. */
#include "ui_case.h"

#include "ui/formula.h"

static void measure(UiCase *c, const char *text, float *w, float *up, float *down)
{
    ui_formula_measure(&c->ui, &(Formula){.size = 20}, text, w, up, down);
}

static void test_ui_formula__boxes(void **state)
{
    (void)state;
    UiCase c;
    ui_case_open(&c);
    ui_case_begin(&c);
    float w[3];
    float up[3];
    float down[3];
    measure(&c, "x", &w[0], &up[0], &down[0]);
    measure(&c, "x_{ij}", &w[1], &up[1], &down[1]);
    measure(&c, "x^2", &w[2], &up[2], &down[2]);
    assert_true(w[1] > w[0] && w[2] > w[0]);
    assert_true(down[1] > down[0] && up[2] > up[0]);
    measure(&c, "\\frac{x}{y}", &w[1], &up[1], &down[1]);
    assert_true(up[1] > up[0] + 6 && down[1] > down[0] + 3);
    measure(&c, "\\paren{\\frac{x}{y}}", &w[2], &up[2], &down[2]);
    assert_true(w[2] > w[1] && up[2] > up[1]);
    measure(&c, "\\sqrt{d_k}", &w[1], &up[1], &down[1]);
    measure(&c, "d_k", &w[2], &up[2], &down[2]);
    assert_true(w[1] > w[2] && up[1] > up[2]);
    ui_case_end(&c);
    ui_case_close(&c);
}

static void test_ui_formula__ink_in_box(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "w_{ij} = \\up{exp} \\paren{\\frac{\\c1{q_i} · \\c2{k_j}}{\\sqrt{d_k}} − \\up{LSE}_i}",
        "\\frac{\\frac{a}{b}}{c^2}", "\\sqrt{\\sqrt{x}}", "a_b^c", "",
        /* broken input is set as far as it goes */
        "\\sum{j} a_j v_j", "\\num{33.62}", "\\paren{\\sum{d} \\frac{\\num{1.00}}{q_d}}", "\\sum",
        "\\sum{", "\\frac{a", "{", "}", "\\", "\\frac", "_", "x_", "\\c9{z}", "\\nonsense{x}"};
    UiCase c;
    ui_case_open(&c);
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        ui_case_begin(&c);
        float w;
        float up;
        float down;
        measure(&c, rows[i], &w, &up, &down);
        float drawn = ui_formula(&c.ui, vec2(100, 200), &(Formula){.size = 20}, rows[i]);
        assert_true(fabsf(drawn - w) < 0.01f);
        for (size_t k = 0; k < c.list.cmds.n; k++) {
            const DrawCmd *cmd = &c.list.cmds.items[k];
            Rect b = cmd->bounds;
            if (cmd->kind == DRAW_TEXT) { /* bounds are those of the line, not of the ink */
                const DrawText *t = &cmd->u.text;
                b = text_ink(c.fonts, t->face, t->size, t->text, TEXT_ALL);
                b.x += t->at.x;
                b.y += t->at.y;
            }
            if (b.x < 97 || b.x + b.w > 100 + w + 4 || b.y < 200 - up - 4 ||
                b.y + b.h > 200 + down + 4) {
                print_error("%s: %s outside (%.1f %.1f %.1f %.1f) of %.1f +%.1f -%.1f\n", rows[i],
                            draw_kind_name(cmd->kind), (double)b.x, (double)b.y, (double)b.w,
                            (double)b.h, (double)w, (double)up, (double)down);
                fail();
            }
        }
        ui_case_end(&c);
    }
    ui_case_close(&c);
}

static void test_formula_latex__forms(void **state)
{
    (void)state;
    static const struct {
        const char *ours, *latex;
    } rows[] = {
        {"\\c3{s_{2,12}} = \\frac{\\c1{q_2} · \\c2{k_{12}}}{\\sqrt{d_k}}",
         "s_{2,12} = \\frac{q_2 \\cdot  k_{12}}{\\sqrt{d_k}}"},
        {"\\up{softmax}\\paren{x}", "\\operatorname{softmax}\\left(x\\right)"},
        {"\\sum{j} a_j", "\\sum_{j} a_j"},
        {"= \\num{−3.5} − ∞", "= \\mathtt{-3.5} - \\infty "},
        {"", ""},
        {"\\c1{", ""}, /* broken input ends */
    };
    Arena arena = {0};
    for (size_t i = 0; i < AS_COUNT(rows); i++) {
        const char *latex = formula_latex(rows[i].ours, &arena, NULL);
        assert_string_equal(latex, rows[i].latex);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_formula__boxes),
        cmocka_unit_test(test_ui_formula__ink_in_box),
        cmocka_unit_test(test_formula_latex__forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
