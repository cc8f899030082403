"""Frames on the pipe between recogniser and worker: four bytes of length, then the payload. Pure and incremental."""

from __future__ import annotations

from firmware.errors import SpeechError

# Longer than a whole message as s16 would need in one piece; what is longer is no frame but garbage.
LONGEST_PAYLOAD_BYTES = 1 << 20
_HEADER_BYTES = 4


def frame(payload: bytes) -> bytes:
    """A payload, ready for the pipe. Raises: ValueError for one that is too long."""
    if len(payload) > LONGEST_PAYLOAD_BYTES:
        raise ValueError(f"a frame of {len(payload)} bytes is too long")
    return len(payload).to_bytes(_HEADER_BYTES, "big") + payload


class FrameReader:
    """Cuts what comes through the pipe into payloads, however it is chopped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def read(self, data: bytes) -> list[bytes]:
        """The payloads that became whole. Raises: SpeechError where the bytes cannot be frames."""
        self._buffer += data
        payloads = []
        while (payload := self._next()) is not None:
            payloads.append(payload)
        return payloads

    def _next(self) -> bytes | None:
        if len(self._buffer) < _HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[:_HEADER_BYTES], "big")
        if length > LONGEST_PAYLOAD_BYTES:
            raise SpeechError("the speech worker's pipe carries something else than frames")
        end = _HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_HEADER_BYTES:end])
        del self._buffer[:end]
        return payload
