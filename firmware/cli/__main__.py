"""`python -m firmware.cli`."""

from firmware.cli import main

main()
