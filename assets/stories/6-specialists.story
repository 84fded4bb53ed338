title  Specialists at work
about  Two kinds of heads in different layers that solve a task together.
model  tiny
text   repeat.txt

scene  Every head with its label
do     view heads
do     layer 1
do     head 5
do     pin 52 51
says   The labels are hypotheses with a score: the share of attention that lies where the pattern
       says. Look for two of them, previous token and induction.

scene  The first specialist
do     view matrix
do     layer 1
do     head 5
do     pin 6 5
says   L1 H5 reads the token before, always. In the first name it writes into "{query}" that it
       comes after "{key}": {percent} of its output is about that.

scene  The second specialist
do     view matrix
do     layer 4
do     head 2
do     pin 52 6
says   L4 H2 stands at the second "{query}" and looks for tokens that come after "{query}". It finds
       "{key}" with {percent}, as the first specialist has left a note there. Together the two are
       called an induction circuit (Olsson and others, 2022).
try    Take away what it needs: raise the temperature to 3 or more.
when   temperature >= 3
well   Now it finds "{key}" with only {percent}.

scene  What comes of it
do     view overview
do     layer 4
do     head 2
do     pin 52 6
says   Copying from before is how even a small model goes on with a name it has never been trained
       on. The card of predictions shows what it would write next.
