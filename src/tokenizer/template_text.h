#pragma once
/* What filters and methods of templates do with texts and dicts. */
#include "tokenizer/template.h"

typedef enum TemplateCase { CASE_UPPER, CASE_LOWER, CASE_TITLE, CASE_CAPITAL } TemplateCase;

/** Without the characters of `which` (NULL = blanks) at its ends. A part of `text`, no copy. */
Value template_strip(const Value *text, const Value *which, bool left, bool right);
AS_MUST_CHECK bool template_change_case(TemplateRun *run, const Value *text, TemplateCase change,
                                        Value *out);
/** At most `most` times; below 0 everywhere. */
AS_MUST_CHECK bool template_replace(TemplateRun *run, const Value *text, const Value *from,
                                    const Value *to, int64_t most, Value *out);
AS_MUST_CHECK bool template_join(TemplateRun *run, const Value *list, const Value *between,
                                 Value *out);
/** A list of keys, of values or of [key, value]. */
AS_MUST_CHECK bool template_dict_items(TemplateRun *run, const ValueDict *dict, bool keys,
                                       bool values, Value *out);
