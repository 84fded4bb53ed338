title  Near and far
about  Heads that go by where a token stands: itself, the one before, the first.
model  tiny
text   river.txt

scene  Reading oneself
do     view matrix
do     layer 0
do     head 7
do     pin 27 27
says   In the lowest layer this head has one bright diagonal: each token reads itself. "{query}"
       keeps {percent} of its attention at home.

scene  Reading the token before
do     view matrix
do     layer 1
do     head 5
do     pin 27 26
says   One layer up the diagonal has moved by one: "{query}" gives {percent} to "{key}", the token
       right before it. It makes no difference what the words are, only where they stand.
try    Go to the head before it (4): it has learned the same.
when   head = 4
well   Networks often learn a useful thing more than once.

scene  Reading a few tokens back
do     view matrix
do     layer 2
do     head 0
do     pin 27 26
says   Other heads spread over a neighbourhood: mostly the last few tokens, less the farther back.

scene  Reading the first token
do     view flow
do     layer 3
do     head 3
do     pin 12 0
says   And some rest: most of the row lies on the first token, which says nothing. A head whose
       question has no answer in the text needs a place to look at. This is called a sink.

scene  Who may see whom
do     view matrix
do     layer 1
do     head 5
do     pin 27 26
says   Nothing above the diagonal is there at all: a mask hides all later tokens before the softmax.
try    Set the mask to none in the bar above.
when   mask none
well   Now later tokens can be read too. The model was never trained for that: only its rule changed.
