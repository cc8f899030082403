"""What a whole-call scenario may do to an appliance and its surroundings, wherever they are.

The bench and the hardware rig both implement `Rig`; a scenario never knows which one it runs on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from firmware.errors import LinekeeperError


class RigAbsent(LinekeeperError):
    """The rig, or a part of it, cannot be reached; the message is the one sentence of a skipped test."""


class FarEnd(Protocol):
    """A call from the caller's side. Waits give up with False after their time-out; all times in seconds.

    Everything but `ended` and `hang_up` raises LinekeeperError once the call is over. Ask for one thing at a time:
    a far end may be half duplex.
    """

    async def answered(self, timeout: float = 30.0) -> None:
        """Wait for the answer. Raises: LinekeeperError where none comes."""

    async def heard_speech(self, timeout: float = 30.0) -> bool:
        """Wait until the appliance speaks."""

    async def heard_silence(self, seconds: float, timeout: float = 60.0) -> bool:
        """Wait for a stretch of silence."""

    async def heard_beep(self, timeout: float = 60.0) -> bool:
        """Wait for the tone after which a caller speaks."""

    async def keys(self, keys: str) -> None:
        """Press keys, one after another."""

    async def speak(self, s16: bytes) -> None:
        """Say samples; returns once they are said."""

    async def ended(self) -> None:
        """Wait until the appliance, or the exchange, has ended the call."""

    def hang_up(self) -> None:
        """End the call."""


class Rig(Protocol):
    """An appliance that runs, its lines, and hands to pull its plugs. It starts without records."""

    lines: Sequence[str]
    sample_exact: bool
    """Whether audio arrives sample for sample (the bench), or through analog lines (hardware)."""

    async def ring(self, line: str, number: str | None = None) -> FarEnd:
        """Call a line; `number` is what the caller ID tells, where the rig can choose it."""

    async def cut_power(self) -> None:
        """Take the appliance's supply away, without any notice."""

    async def restore_power(self) -> None:
        """Give it back, and wait until lines can ring."""

    async def unplug_modem(self, line: str) -> None:
        """Pull a modem's USB plug."""

    async def replug_modem(self, line: str) -> None:
        """Put it back."""

    async def records(self, kind: str) -> list[dict[str, Any]]:
        """What `linekeeper KIND list --json` prints: calls, messages, callbacks, incidents, lines."""

    async def message_samples(self, message_id: str) -> bytes:
        """A message as `linekeeper messages export` writes it, as s16."""
