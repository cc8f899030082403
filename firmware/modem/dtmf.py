"""Keys out of DLE codes (modem-reference 7). Pure.

V.253 modems frame a key: `/`, the digit about every 70 ms, `~`. Rockwell chips send the digit once. Either end of the
frame may be lost; one press stays one key.
"""

from __future__ import annotations

from enum import Enum

KEYS = frozenset(b"0123456789*#ABCD")
_TONE_BEGAN = ord("/")
_TONE_ENDED = ord("~")
# Digits repeat every 70 ms while the tone lasts; a longer pause means that the finger was lifted in between.
_REPEAT_WITHIN_SECONDS = 0.2


class KeyForm(Enum):
    """How a modem reports keys. Values are those of the profiles."""

    REPEATED = "repeated"
    SINGLE = "single"


class KeyReader:
    """Counts each press once."""

    def __init__(self, form: KeyForm = KeyForm.REPEATED) -> None:
        self._form = form
        self._key: int | None = None
        self._heard_at = 0.0

    def feed(self, code: int, now_seconds: float) -> str | None:
        """The key that this code newly tells of, if any. Codes that are no key business are ignored."""
        if code in (_TONE_BEGAN, _TONE_ENDED):
            self._key = None
            return None
        if code not in KEYS:
            return None
        repeated = self._repeats(code, now_seconds)
        self._heard_at = now_seconds
        if repeated:
            return None
        self._key = code
        return chr(code)

    def _repeats(self, code: int, now_seconds: float) -> bool:
        if self._form is KeyForm.SINGLE or self._key is None:
            return False
        return code == self._key and now_seconds - self._heard_at <= _REPEAT_WITHIN_SECONDS
