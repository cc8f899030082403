"""One press, told by the modem and heard in the sound of the line: counted once, whoever tells of it first. Pure.

A press of one source is matched with the oldest press of the same key from the other source, so that `11` in quick
succession stays two presses. What finds no match counts: a press that only one source noticed is not lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Both sources need 40 to 100 ms of a tone; a modem that tells of a key only when it ends is a long press later.
# Nobody presses a key twice within this time and has each source miss the other press.
MATCHED_WITHIN_SECONDS = 0.5
# A finger that was down before anybody listened: longer than this is no press of a key any more.
LONGEST_PRESS_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Press:
    key: str
    at_seconds: float


class KeyMerge:
    """The presses of one call. Times are of one scale that does not step, and come in order."""

    def __init__(self) -> None:
        self._told: deque[_Press] = deque()
        self._heard: deque[_Press] = deque()
        self._down: _Press | None = None

    def told(self, key: str, now_seconds: float, *, ear_listens: bool = True) -> bool:
        """The modem tells of a press; whether it is a new one.

        Without an ear at this moment nothing is expected to be heard of it.
        """
        new = not _matched(self._heard, key, now_seconds)
        if new and ear_listens:
            self._told.append(_Press(key, now_seconds))
        self._down = _Press(key, now_seconds)
        return new

    def heard(self, key: str, now_seconds: float, *, from_start: bool = False) -> bool:
        """A press was found in the sound; whether it is a new one.

        `from_start`: it sounded already when the ear began to listen, so it may be the rest of the press before.
        """
        if _matched(self._told, key, now_seconds) or (from_start and self._is_down(key, now_seconds)):
            return False
        self._heard.append(_Press(key, now_seconds))
        self._down = _Press(key, now_seconds)
        return True

    def released(self) -> None:
        """The modem tells that no key is down any more."""
        self._down = None

    def _is_down(self, key: str, now_seconds: float) -> bool:
        down = self._down
        return down is not None and down.key == key and now_seconds - down.at_seconds <= LONGEST_PRESS_SECONDS


def _matched(others: deque[_Press], key: str, now_seconds: float) -> bool:
    """Whether the other source knows of this press; that press is used up then."""
    while others and now_seconds - others[0].at_seconds > MATCHED_WITHIN_SECONDS:
        others.popleft()
    found = next((press for press in others if press.key == key), None)
    if found is None:
        return False
    others.remove(found)
    return True
