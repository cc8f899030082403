"""One-time claim codes: pure but for the randomness of a new one.

100 bits, so that nobody guesses one however long he tries; only a hash is kept. The letters are Crockford's base 32,
without look-alikes, as a technician may have to type them (crockford.com/base32.html).
"""

from __future__ import annotations

import hashlib
import secrets

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 20
_GROUP = 5
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_MOST_TYPED = 64


def new_code() -> str:
    """Such as `7K3QD-0X9ZA-MH4TW-C81RB`."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def code_hash(typed: str) -> bytes | None:
    """What is kept of a code, however it was typed; None for what can be no code."""
    if len(typed) > _MOST_TYPED:
        return None
    letters = typed.upper().translate(_MISREAD)
    if len(letters) != _LENGTH or any(letter not in _LETTERS for letter in letters):
        return None
    return hashlib.sha256(letters.encode("ascii")).digest()
