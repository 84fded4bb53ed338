#!/bin/sh
# A real window in a virtual display: somebody types a text, switches the head, zooms, hovers and
# reads a number. tests/cli/window.py drives it and compares what is on the screen.
for tool in Xvfb xvfb-run xdotool python3; do
    command -v "$tool" > /dev/null || { echo "no $tool here"; exit 77; }
done
exec python3 "$(dirname "$0")/window.py" "$1"
