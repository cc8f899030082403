"""Erasing on the word of another service: the collector's, or the office's. It does what the commands do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from firmware.errors import RecordNotFound, ServiceError
from firmware.ports import Clock
from firmware.settings import Settings
from firmware.storage.erasure_rows import Erased
from firmware.storage.stamps import Stamp
from firmware.storage.threads import in_thread

if TYPE_CHECKING:
    from firmware.storage.erasure import Receipt


class Erasing:
    """The action `erase` of `calls`: `{"number": ...}` or `{"message": id or number}`; the answer is the receipt."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        # One at a time: each empties the database's log, and would find the other one in its way.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="erasing")

    async def erase(self, request: dict[str, Any]) -> dict[str, Any]:
        """Returns once nothing is found again. Raises: StorageError; ServiceError for another request.

        A message that is not there was erased before, or never was here: nothing of it is left, and no receipt.
        """
        try:
            return receipt_json(await in_thread(self._thread, self._work(request)))
        except RecordNotFound:
            return {"receipt": None, "at": Stamp.now(self._clock).at, "erased": asdict(Erased()), "copies": []}

    def close(self) -> None:
        """What is being erased is erased to its end. Idempotent."""
        self._thread.shutdown(wait=False)

    def _work(self, request: dict[str, Any]) -> Callable[[], Receipt]:
        match request:
            case {"number": str(number), **rest} if number.strip() and not rest:
                return lambda: _caller(self._settings, number, self._clock)
            case {"message": str(message), **rest} if message and not rest:
                return lambda: _message(self._settings, message, self._clock)
        raise ServiceError('erase takes {"number": a telephone number} or {"message": an id}')


# Imported late, and in the thread: the tables of all countries' numbers come with it.
def _caller(settings: Settings, number: str, clock: Clock) -> Receipt:
    from firmware.storage.erasure import erase_caller

    return erase_caller(settings.data_dir, number, clock, settings.country)


def _message(settings: Settings, message: str, clock: Clock) -> Receipt:
    from firmware.storage.erasure import erase_message

    return erase_message(settings.data_dir, message, clock)


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """No personal data is in it."""
    return {
        "receipt": receipt.receipt,
        "at": receipt.at,
        "erased": asdict(receipt.erased),
        "copies": list(receipt.copies),
    }
