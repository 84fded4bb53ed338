#pragma once
/*
 * What characters are, as the tokenizers library sees them, and the Unicode normal forms with
 * their effect on offsets. Any thread.
 */
#include "tokenizer/aligned.h"

/** The White_Space property. */
bool unicode_is_space(uint32_t c);
/** Number of its script; 0 = it fits to any. */
uint32_t unicode_script(uint32_t c);
/** Categories Nd, Nl, No. */
bool unicode_is_numeric(uint32_t c);
/** ASCII punctuation and symbols, and category P as of Unicode 8, which the library's table is. */
bool unicode_is_punctuation(uint32_t c);
/** What BERT's cleaning removes as control: categories Cc, Cf (as of Unicode 8) and Co. */
bool unicode_is_control(uint32_t c);
/** Category Mn as of Unicode 8: the accents that BERT strips. */
bool unicode_is_nonspacing_mark(uint32_t c);
/** Category M. */
bool unicode_is_mark(uint32_t c);
/** The blocks around which BERT puts spaces. */
bool unicode_is_cjk(uint32_t c);
/** Letters, marks, digits and connectors: a word of the word splitter. */
bool unicode_is_word(uint32_t c);
/** Lower case of one character out of context; returns how many of out[2] it gives. */
int unicode_lower(uint32_t c, uint32_t out[2]);

/** Does a user-perceived character end between two code points? *state is 0 at the start of a text
 *  and may be set to 0 again after any break. Source: Unicode Standard Annex 29. */
bool unicode_ends_cluster(uint32_t before, uint32_t after, int32_t *state);

typedef enum NormalForm { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD } NormalForm;

/** Appends the normal form of `in` to `out`.
 *  Source: Unicode Standard Annex 15; The Unicode Standard, 3.11 (D108 to D117). */
AS_MUST_CHECK bool unicode_normalize(const Aligned *in, NormalForm form, Aligned *out, Error *err);
