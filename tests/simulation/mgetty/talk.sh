#!/bin/bash
# vgetty's voice shell: a line to $VOICE_OUTPUT, then SIGPIPE to make the program look (vgetty-client.md 10).
log=$1
say() { echo "$1" >&$VOICE_OUTPUT; kill -PIPE $VOICE_PID; }
hear() { read -r answer <&$VOICE_INPUT; echo "$answer" >> "$log"; }
hear; say "HELLO VOICE PROGRAM"
hear; say "DEVICE DIALUP_LINE"
hear; say "ENABLE EVENTS"
hear; say "PLAY $2"
hear; hear; say "RECORD $3"
hear; hear; hear; say "STOP"
hear; say "BEEP 900 50"
hear; hear; say "DEVICE NO_DEVICE"
hear; say "GOODBYE"
hear
