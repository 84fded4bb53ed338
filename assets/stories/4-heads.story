title  Why several heads
about  One softmax can ask one question. A layer asks many at once.
model  tiny
text   default.txt

scene  Eight questions in each layer
do     view heads
do     layer 1
do     head 5
says   Every small picture is one head: its own queries, keys and values, so its own question. The
       labels say which known pattern it follows, with a score.

scene  The token before
do     view flow
do     layer 1
do     head 5
do     pin 24 23
says   A head has one row of weights for a token, and it adds up to 1. This one has spent
       {percent} on the token before. There is nothing left for anything else.

scene  What came next the last time
do     view flow
do     layer 4
do     head 2
do     pin 24 6
says   Another head of the model asks something else of the same token: "{query}" reads "{key}".
try    Choose head 3 of this layer: what does it do with the same token?
when   head = 3
well   The same token, another question, other weights.

scene  Put side by side
do     view mechanism
do     layer 4
do     head 7
do     pin 24 22
says   The outputs of all heads are put side by side into one long vector, and one matrix mixes them
       into what the layer adds. So the next layer finds the answers to all questions in one place.

scene  Too soft for one
do     view heads
do     layer 4
do     head 2
do     pin 24 6
says   With a single head the model would have to mix its questions into one row of weights, and each
       answer would be washed out.
try    Open the matrix of any head of layer 2 or lower.
when   layer <= 2
well   Compare it with the one you came from.
