title  From layer to layer
about  How attention changes on its way up through the network.
model  tiny
text   river.txt

scene  A stack of layers
do     view stack
do     stack-heads one
do     layer 0
do     head 7
do     pin 27 27
says   Each sheet is one layer with the weights of one head on it; the lowest reads the text first.
       What a layer finds is added to the tokens and carried up to the next.

scene  Low: the token and its neighbours
do     view stack
do     stack-heads one
do     layer 1
do     head 5
do     pin 27 26
says   Near the bottom attention goes by place: the token itself, or, here, the one before it. So
       each token learns what it comes after.
try    Walk up: go to layer 3.
when   layer >= 3
well   The diagonals have become islands: attention goes by content now.

scene  High: what the text is about
do     view stack
do     stack-heads one
do     layer 4
do     head 2
do     pin 27 8
says   In the last layer "{query}" reads "{key}" ({percent}), 19 tokens back: what followed the same
       words before. This is only possible because a lower layer wrote into each token which one
       came before it.

scene  The same head through all layers
do     view stack
do     stack-heads one
do     layer 0
do     head 2
do     pin 27 26
do     play
says   Press Space to walk through the layers again. Where many tokens read the first one, the head
       has found nothing to do in this text.
