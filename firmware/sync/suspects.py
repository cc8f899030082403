"""Records that a far end failed at: they come last, so that however many of them cannot hold up the rest for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from firmware.ports import Entry

_MOST = 1000


class Suspects:
    """Known for as long as the service runs."""

    def __init__(self) -> None:
        self._known: set[tuple[str, int]] = set()

    def last(self, entries: Iterable[Entry]) -> Sequence[Entry]:
        """The same entries in their order, suspects behind the others."""
        return sorted(entries, key=lambda entry: _key(entry) in self._known)

    def add(self, entries: Iterable[Entry]) -> None:
        """The far end failed at these."""
        if len(self._known) > _MOST:
            self._known.clear()
        self._known.update(map(_key, entries))


def _key(entry: Entry) -> tuple[str, int]:
    return entry.record_id, entry.version
