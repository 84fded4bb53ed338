# What every transformer does in every layer, on one sentence.
title  Words look at words
about  What one token reads in the others, from the picture down to the numbers.
model  tiny
text   default.txt

scene  A text becomes tokens
do     view overview
do     layer 4
do     head 2
do     pin 24 6
says   The model does not read words but tokens: words and pieces of words, one chip each. In every
       layer each token looks at the tokens before it and takes something from them. That is all
       self-attention is.

scene  One token reads another
do     view flow
do     layer 4
do     head 2
do     pin 24 6
says   Here "{query}" reads "{key}": it gives it {percent} of its attention. A thicker curve is more
       attention, and what is read flows along it. The same words stood here before, so the model
       looks at what came next that time.
try    Choose the token after it (25), with the pointer or the key Down.
when   query = 25
well   Every token asks a question of its own, and gets its own answer.

scene  All pairs at once
do     view matrix
do     layer 4
do     head 2
do     pin 24 6
says   The same as a table: a row for each token that reads, a column for each that is read. The
       weights of a row add up to 1. The upper half is empty: a token cannot read what comes after
       it, as that is what it has to guess.

scene  Where a weight comes from
do     view mathematics
do     layer 4
do     head 2
do     pin 24 6
do     step 0
says   Each token makes a query (what am I looking for?) and a key (what do I have?). Multiplied
       term by term and added up they give a score: large where the two fit together.
try    Open the third card, the softmax, to see scores become shares.
when   step = 2
well   The exponential makes large scores count far more, and the sum makes it shares of 1.

scene  What is taken
do     view mechanism
do     layer 4
do     head 2
do     pin 24 6
says   Queries and keys only decide how much. What is taken is the third vector, the value: the
       output of the head is the values of all tokens, mixed by these weights.

scene  Sharp or soft
do     view matrix
do     layer 4
do     head 2
do     pin 24 6
says   The softmax can be made softer by dividing the scores by a temperature first.
try    Raise the temperature in the bar above to 2 or more and watch the row.
when   temperature >= 2
well   Now "{query}" gives "{key}" only {percent}: the attention is spread over more tokens.
