"""The incidents of power, told from what the policy decided and what was done about it (C5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from firmware.events import LoadSwitched
from firmware.ports import IncidentLog
from firmware.services.incident_book import IncidentBook
from firmware.services.scribe import Scribe
from firmware.ups import decisions
from firmware.ups.decisions import Decision

_OUTAGE, _BATTERY, _SOURCE = ("power", "mains"), ("battery", "ups"), ("power_source", "ups")

_BEGINS: Mapping[type[Decision], tuple[str, str]] = {
    decisions.MainsLost: _OUTAGE,
    decisions.BatteryWeak: _BATTERY,
    decisions.RemindBattery: _BATTERY,
    decisions.SourceSilent: _SOURCE,
}
_ENDS: Mapping[type[Decision], tuple[str, str]] = {
    decisions.MainsBack: _OUTAGE,
    decisions.BatteryFine: _BATTERY,
    decisions.SourceBack: _SOURCE,
}
_TIERS = {
    1: "the first tier of loads is shed at once",
    2: "the second tier of loads is shed, as mains stays away",
    3: "all loads are shed, as the battery is nearly empty",
}
# What is noted of an outage; the value makes the sentence.
_NOTES: Mapping[type[Decision], Callable[[Any], str]] = {
    decisions.ShedTo: lambda decision: _TIERS[decision.tier],
    decisions.MainsBack: lambda decision: f"mains was back{_after(decision.outage_seconds)}",
    decisions.RestoreLoads: lambda _: "mains is steady; the loads come back one by one",
    decisions.BatteryLow: lambda decision: f"callers are told and released: {decision.reason}",
    decisions.LowUnproved: lambda decision: decision.sentence,
    decisions.BatteryLowOver: lambda _: "mains came back before the shutdown; calls are taken again",
    decisions.ShutDown: lambda decision: f"the shutdown is decided: {decision.reason}",
    decisions.PowerOff: lambda _: "calls are over and records are closed; power goes off",
    decisions.Reboot: lambda decision: decision.reason,
    decisions.BootGate: lambda decision: decision.sentence,
}


class PowerStory:
    """Everything is written in order by the scribe; nothing here waits or raises."""

    def __init__(self, log: IncidentLog, scribe: Scribe) -> None:
        self._log = log
        self._scribe = scribe
        self._books: dict[tuple[str, str], IncidentBook] = {}
        # Loads are brought back at every start; without an outage that is nothing to write down.
        self._in_outage = False
        self._shed: set[str] = set()
        self._restoring = False

    def started_on_mains(self) -> None:
        """Mains is there: an outage that an earlier run left open is over."""
        self._scribe.write(self._book(_OUTAGE).end)

    def source_speaks(self) -> None:
        """What watches the power tells something: a silence that an earlier run left open is over."""
        self._scribe.write(self._book(_SOURCE).end)

    def battery_is_fine(self) -> None:
        """Nothing is wrong with the battery: what an earlier run left open is over."""
        self._scribe.write(self._book(_BATTERY).end)

    def note(self, sentence: str) -> None:
        """Something was done about the outage, if there is or was one."""
        if self._in_outage:
            self._scribe.write(self._book(_OUTAGE).note, sentence)

    def callers_released(self) -> None:
        """Everybody on the telephone was told of the low battery."""
        words = ("callers on the lines", "a spoken notice", "released, and what they said is kept")
        self._scribe.write(self._book(_OUTAGE).tell, *words)

    def switched(self, event: LoadSwitched) -> None:
        """A load was shed or is back, or would not."""
        book = self._book(("load", event.load))
        if event.fault is not None:
            self._scribe.write(book.begin, event.fault)
            return
        self._scribe.write(book.end)
        self.note(f"{event.load} {'was shed' if event.shed else 'is back, and was seen to work'}")
        (self._shed.add if event.shed else self._shed.discard)(event.load)
        self._perhaps_over()

    def decided(self, decision: Decision) -> None:
        """Tell a decision."""
        kind = type(decision)
        if kind in (decisions.MainsLost, decisions.BootGate):
            self._in_outage, self._restoring = True, False
        if kind in _BEGINS:
            self._scribe.write(self._book(_BEGINS[kind]).begin, _sentence(decision))
        if kind in _NOTES:
            self.note(_NOTES[kind](decision))
        if kind in _ENDS:
            self._scribe.write(self._book(_ENDS[kind]).end)
        if kind is decisions.RestoreLoads:
            self._restoring = True
            self._perhaps_over()

    def _perhaps_over(self) -> None:
        """Once all is as before, a load that fails and is mended days later has nothing to do with this outage."""
        if self._restoring and not self._shed:
            self._in_outage = False

    def _book(self, named: tuple[str, str]) -> IncidentBook:
        if named not in self._books:
            self._books[named] = IncidentBook(self._log, *named)
        return self._books[named]


def _sentence(decision: Decision) -> str:
    return str(getattr(decision, "reason", None) or getattr(decision, "sentence", ""))


def _after(seconds: float | None) -> str:
    if seconds is None:
        return ""  # it went away in an earlier run
    minutes, rest = divmod(round(seconds), 60)
    return f" after {minutes} min {rest} s" if minutes else f" after {seconds:.1f} s"
