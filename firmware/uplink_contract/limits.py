"""Sizes and times that both ends keep to."""

from __future__ import annotations

MARK_HEADER = "Linekeeper-Collector"
"""Every answer of a collector carries it. An answer without it came from something else: a captive portal, a proxy."""
MARK = "1"

PART_BYTES = 256 * 1024
"""Audio travels in parts of at most this size (power-reference 3.2); a cut costs one part."""
MOST_BLOB_BYTES = 64 * 1024 * 1024
"""More than an hour of 8 kHz, 16 bit."""
MOST_RECORDS = 200
MOST_BATCH_BYTES = 256 * 1024
MOST_RECORD_BYTES = 64 * 1024
MOST_OTHER_BYTES = 64 * 1024
"""Any other request."""

SIGNATURE_WINDOW_SECONDS = 300.0
"""A signed request is taken this long, either way, and only once."""

KINDS = ("call", "message", "callback", "incident", "recording", "backup", "health", "shared", "erasure")
"""What an appliance delivers."""
