title  From one text into another
about  Cross-attention: what a translator looks at before it writes the next word.
model  translate
text   agreement.txt

scene  A text to read
do     stack encoder
do     view matrix
do     layer 1
do     head 0
says   A translator of this kind has two halves. The encoder reads the source text as a whole: there is
       no mask, every token may read those before it and those after it.

scene  A text to write
do     stack decoder
do     view matrix
do     layer 1
do     head 0
says   The decoder writes the target, one token after the other, so it may only read what it has
       written already: the upper half is empty, as in any model that writes.

scene  Looking across
do     stack cross
do     view flow
do     layer 1
do     head 0
do     pin 4 6
says   And it looks across. Having written "{query}", it gives {percent} of its attention to "{key}",
       as that is the word it is about to translate.
try    Step on with the key Down, to the token 6, and watch where it looks.
when   query = 6
well   English puts the noun last here, French puts it first: so the eyes go backwards.

scene  The crossing
do     stack cross
do     view matrix
do     layer 1
do     head 0
do     pin 5 5
says   As a matrix: target tokens down, source tokens across. A translation word by word would be one
       diagonal. Where the order of the two languages differs, it turns round for three words.
try    Choose another head of this layer: do all of them look at the next word?
when   head >= 1
well   One head has learned to align the words. Nobody told it to: it came of the training.
