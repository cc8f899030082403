"""Linekeeper: a telephone attendant for small offices on a Raspberry Pi with USB voice modems."""
