"""Every error this project raises, in one tree.

LinekeeperError
├── ConfigurationError        the configuration or a flow has mistakes; carries all of them
├── PortError                 the serial port
│   ├── PortMissing           no such device
│   ├── PortBusy              another program holds it
│   ├── PortDenied            no permission
│   └── PortLost              it went away while open
├── ModemError                the modem behind the port
│   ├── NotAModem             nothing answers AT
│   ├── UnsupportedModem      it answers, but cannot do what we need; says why
│   ├── CommandTimeout        no result in time
│   ├── CommandRefused        ERROR, or another result that means no
│   └── LineNotAnswered       off hook was confirmed, yet the line goes on ringing
├── CallerGone                the far end hung up; carries the evidence
├── StorageError              the database or the recordings folder
│   ├── DiskFull
│   ├── RecordNotFound
│   ├── DatabaseDamaged       SQLite finds the database corrupt
│   ├── StoreTaken            another process owns the data folder
│   └── BackupUnusable        a file is no backup, or a damaged one; says why
├── PromptError               a prompt is missing or unreadable
├── SpeechError               a recogniser, its model or its worker
├── SoundError                microphone, loudspeaker, or the library that drives them
├── PowerError                what watches and saves power
│   ├── PowerSourceLost       a UPS, its server or its pins tell nothing any more
│   └── LoadError             a load could not be shed, restored or checked
│       └── LoadBusy          not now: a call is on that line
├── DeliveryError             records cannot be delivered now; they stay on the appliance
│   ├── FarEndUnreachable     no network, no answer, or somebody else answers in its place
│   ├── TryLater              the far end has too much to do; carries its word on when
│   ├── ClockWrong            the time of day here is too far off for certificates
│   └── DeliveryRefused       the far end does not let this appliance in; a person must act
├── PinError                  a GPIO pin, or the library that drives it
├── LineHung                  a line's task stopped making progress, and was started again
└── ServiceError              a service cannot start or be reached
    └── ServiceAbsent         no process of it listens

A message to a person says what happened and what to do. Nothing here is raised for a caller's mistake.
"""

from __future__ import annotations

from dataclasses import dataclass


class LinekeeperError(Exception):
    """Base of every error we raise on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file that a person wrote.

    `line` counts from 1 and is 0 where the file as a whole is meant.
    """

    source: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.text}"


class ConfigurationError(LinekeeperError):
    """A configuration or flow file has mistakes; `problems` holds all of them, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.source, problem.line)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PortError(LinekeeperError):
    """Something about the serial port."""


class PortMissing(PortError):
    """There is no such device."""


class PortBusy(PortError):
    """Another program holds the port."""


class PortDenied(PortError):
    """We may not open the port."""


class PortLost(PortError):
    """The port went away while we used it: unplugged, or a brown-out."""


class ModemError(LinekeeperError):
    """Something about the modem behind a port."""


class NotAModem(ModemError):
    """Nothing behind the port answers AT."""


class UnsupportedModem(ModemError):
    """A modem that cannot do what we need; the message says why."""


class CommandTimeout(ModemError):
    """The modem gave no result before the deadline."""

    def __init__(self, command: str, timeout_seconds: float) -> None:
        self.command = command
        self.timeout_seconds = timeout_seconds
        super().__init__(
            f"the modem gave no answer to {command!r} within {timeout_seconds:g} s; "
            "if this stays so, pull its plug and put it back"
        )


class CommandRefused(ModemError):
    """The modem answered with a result that means no."""

    def __init__(self, command: str, result: str) -> None:
        self.command = command
        self.result = result
        super().__init__(f"the modem answered {result!r} to {command!r}")


class LineNotAnswered(ModemError):
    """The modem confirmed off hook, yet the line goes on ringing."""


class CallerGone(LinekeeperError):
    """The far end hung up. `evidence` names what told us, for the call's record."""

    def __init__(self, evidence: str) -> None:
        self.evidence = evidence
        super().__init__(f"the caller hung up ({evidence})")


class StorageError(LinekeeperError):
    """Something about the database or the recordings folder."""


class DiskFull(StorageError):
    """No room for another recording."""


class RecordNotFound(StorageError):
    """No record has this id."""


class DatabaseReplaced(StorageError):
    """Another database lies where one was written to before; what was acknowledged may not be in it."""


class DatabaseDamaged(StorageError):
    """SQLite finds the database corrupt."""


class StoreTaken(StorageError):
    """Another process owns the data folder."""


class BackupUnusable(StorageError):
    """A file is no backup, or a damaged one; the message says why."""


class PromptError(LinekeeperError):
    """A prompt is missing or cannot be read."""


class SpeechError(LinekeeperError):
    """A recogniser, its model or its worker process."""


class SoundError(LinekeeperError):
    """Microphone, loudspeaker, or the library that drives them."""


class PowerError(LinekeeperError):
    """What watches and saves power."""


class PowerSourceLost(PowerError):
    """A UPS, its server or its pins tell nothing any more."""


class LoadError(PowerError):
    """A load could not be shed, restored or checked."""


class LoadBusy(LoadError):
    """Not now: a call is on the line that this load belongs to."""


class DeliveryError(LinekeeperError):
    """Records cannot be delivered now; they stay on the appliance."""


class FarEndUnreachable(DeliveryError):
    """No network, no answer in time, or somebody else answers in the far end's place (a captive portal)."""


class TryLater(DeliveryError):
    """The far end has too much to do. `retry_after_seconds` is its own word, if it gave one."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ClockWrong(DeliveryError):
    """The time of day here is too far off for certificates to be judged."""


class DeliveryRefused(DeliveryError):
    """The far end does not let this appliance in; trying again alone will not help."""


class PinError(LinekeeperError):
    """A GPIO pin, or the library that drives it."""


class LineHung(LinekeeperError):
    """A line's task stopped making progress; the message says at what, and that it was started again."""


class ServiceError(LinekeeperError):
    """A service cannot start, or cannot be reached."""


class ServiceAbsent(ServiceError):
    """No process of a service listens at its socket."""
