title  What it says, not where it stands
about  Heads that find a token by its content, however far away it is.
model  tiny
text   repeat.txt

scene  A name that comes twice
do     view overview
do     layer 4
do     head 2
do     pin 52 6
says   The name in this text is rare, and it comes twice. The second time the model could guess how
       it goes on, if it found the first.

scene  It finds it
do     view flow
do     layer 4
do     head 2
do     pin 52 6
says   "{query}", in the second name, reads "{key}", the piece that followed it in the first one:
       {percent} of its attention, over a distance of 46 tokens.
try    Go to the query 55: which token does it read?
when   query = 55
well   Again the one that came next the last time. The distance is the same, but it is not the
       distance that decides.

scene  Why it fits
do     view mathematics
do     layer 4
do     head 2
do     pin 52 6
do     step 0
says   The query of the one and the key of the other point the same way in many dimensions, so
       nearly all terms add up. Two tokens that have nothing to do with each other have terms of
       both signs.
try    Order the terms by size: press "Largest first", then open the softmax.
when   step = 2
well   Few other tokens of the row come near this score.

scene  The islands in the matrix
do     view matrix
do     layer 4
do     head 2
do     pin 52 6
says   In the matrix the two names make a short diagonal stripe far from the main one: as long as
       the words repeat, the reading moves on with them.
