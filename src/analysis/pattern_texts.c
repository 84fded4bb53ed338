#include "analysis/patterns.h"

#define NAMES(id, name_, short_, title_, limit_)                                                   \
    [PATTERN_##id].name = name_, [PATTERN_##id].short_name = short_,                               \
    [PATTERN_##id].title = title_, [PATTERN_##id].limit = limit_,
#define TEXT(id, cells_, what_, why_)                                                              \
    [PATTERN_##id].cells = cells_, [PATTERN_##id].what = what_, [PATTERN_##id].why = why_

static const PatternText table[PATTERN_COUNT] = {
    PATTERNS(NAMES)
        TEXT(PREVIOUS, "key = query − 1", "Every token looks at the one just before it.",
             "It joins pieces into words and lets later heads know what each token came after."),
    TEXT(NEXT, "key = query + 1", "Every token looks at the one just after it.",
         "An encoder sees both sides; such a head reads the right neighbour for grammar and "
         "word pieces."),
    TEXT(SELF, "key = query", "Every token looks at itself.",
         "What it already knows is kept or sharpened rather than mixed "
         "with other tokens."),
    TEXT(SINK, "key = token 0", "Weight rests on the first token.",
         "Rows must sum to 1: a head that finds nothing to read parks its weight where it "
         "does no harm."),
    TEXT(SEPARATOR, "key is special, punctuation, ⏎", "Weight rests on separators and punctuation.",
         "They stand for the sentence before them, and in encoders "
         "they are a place to rest."),
    TEXT(LOCAL, "2–8 tokens away", "Tokens look at the few around them.",
         "Phrases, agreement and word order are near by; a window is cheap to learn."),
    TEXT(INDUCTION, "after an earlier copy", "A token looks at what came after it last time.",
         "It continues what was said before: the main way a model learns from its "
         "own context."),
    TEXT(DUPLICATE, "an earlier copy", "A token looks at earlier copies of itself.",
         "Repeats are marked, so that others can tell what is "
         "new and what was said already."),
    TEXT(GLOBAL, "entropy ÷ log₂ keys", "Weight is spread over nearly everything.",
         "It takes an average of the text: what it is about, rather than any "
         "one word."),
    TEXT(CONTENT, "one far word, by its meaning",
         "The strongest look goes to a far word that no rule names.",
         "Its place follows from meaning or grammar, such as a pronoun and "
         "who it stands for."),
    TEXT(LONG, "32 or more tokens away", "Most weight goes far back, past the first token.",
         "It fetches what was said long ago: topics, names, the "
         "beginning of a thought."),
};

const PatternText *pattern_text(Pattern pattern)
{
    AS_ASSERT((size_t)pattern < PATTERN_COUNT);
    return &table[pattern];
}

const char *pattern_name(Pattern pattern)
{
    return pattern_text(pattern)->name;
}

float pattern_limit(Pattern pattern)
{
    return pattern_text(pattern)->limit;
}
