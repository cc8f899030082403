"""Commands that every modem has: V.250's basic ones, identity, class (modem-reference 2, 3)."""

from __future__ import annotations

import asyncio

from firmware.simulation.modem.chip import Chip
from firmware.simulation.modem.command_line import Command, Refused
from firmware.simulation.modem.outcome import OK, Handler, Outcome
from firmware.simulation.modem.registers import Registers

# Accepted, and without meaning for a bench.
_ACCEPTED = frozenset("BCLMNPTWY") | {f"&{letter}" for letter in "BCDGJMPQRSTXY"} | {f"\\{letter}" for letter in "GNQV"}
_LAST_S_REGISTER = 255


class BasicCommands:
    """Handlers by command name."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._table: dict[str, Handler] = {
            "E": self._echo,
            "Q": self._quiet,
            "V": self._verbose,
            "X": self._call_progress,
            "Z": self._reset,
            "&F": self._factory,
            "&K": self._flow_control,
            "&V": self._identity,
            "&W": self._store,
            "I": self._identify,
            "H": self._hook,
            "+FCLASS": self._service_class,
            "+GCI": self._country,
        }

    def find(self, command: Command) -> Handler | None:
        """Who handles a command, if anybody here does."""
        name = command.name
        if name in self._table:
            return self._table[name]
        if name in _ACCEPTED:
            return lambda _: OK
        if name[0] == "S" and name[1:].isdigit():
            return self._register
        if command.text in self._chip.profile.answers:
            return self._identity
        return None

    def _echo(self, command: Command) -> Outcome:
        self._chip.registers.echo = _switch(command) or self._chip.faults.echo_always
        return OK

    def _quiet(self, command: Command) -> Outcome:
        self._chip.registers.quiet = _switch(command)
        return OK

    def _verbose(self, command: Command) -> Outcome:
        self._chip.registers.verbose = _switch(command)
        return OK

    def _call_progress(self, command: Command) -> Outcome:
        self._chip.registers.call_progress = _up_to(4, command)
        return OK

    def _flow_control(self, command: Command) -> Outcome:
        self._chip.registers.flow_control = _up_to(6, command)
        return OK

    async def _reset(self, _: Command) -> Outcome:
        await asyncio.sleep(self._chip.profile.reset_seconds)
        self._chip.put_down()
        self._chip.reset()
        return OK

    def _factory(self, _: Command) -> Outcome:
        """Settings only; the line stays as it is."""
        self._chip.registers = Registers(country=self._chip.profile.country)
        self._chip.reset_voice()
        return OK

    def _store(self, _: Command) -> Outcome:
        self._chip.stored = self._chip.registers.copy()
        return OK

    def _identify(self, command: Command) -> Outcome:
        if command.number > 9:
            raise Refused(command)
        return Outcome(lines=self._chip.profile.answers.get(f"I{command.number}", ()))

    def _identity(self, command: Command) -> Outcome:
        return Outcome(lines=self._chip.profile.answers.get(command.text, ()))

    def _hook(self, command: Command) -> Outcome:
        if _switch(command):
            self._chip.lift()
            self._chip.device = 1
            return OK
        self._chip.put_down()
        if self._chip.profile.hang_up_leaves_voice and not self._chip.registers.number("+VNH"):
            self._chip.service_class = "0"
        return OK

    def _register(self, command: Command) -> Outcome:
        number = int(command.name[1:])
        if number > _LAST_S_REGISTER:
            raise Refused(command)
        if command.action == "?":
            return Outcome(lines=(f"{self._chip.registers.s.get(number, 0):03}",))
        value = int(command.value or 0)
        if value > _LAST_S_REGISTER:
            raise Refused(command)
        self._chip.registers.s[number] = value
        return OK

    def _service_class(self, command: Command) -> Outcome:
        if command.action == "=?":
            return Outcome(lines=(self._chip.profile.fclass,))
        if command.action == "?":
            return Outcome(lines=(self._chip.service_class,))
        if command.action != "=" or command.value not in self._chip.profile.fclass.split(","):
            raise Refused(command)
        self._chip.service_class = command.value
        return OK

    def _country(self, command: Command) -> Outcome:
        countries = self._chip.profile.countries
        if command.action == "=?":
            return Outcome(lines=(f"+GCI: ({','.join(countries)})",))
        if command.action == "?":
            return Outcome(lines=(f"+GCI: {self._chip.registers.country}",))
        if command.value not in countries:
            raise Refused(command)
        self._chip.registers.country = command.value
        return OK


def _switch(command: Command) -> bool:
    return bool(_up_to(1, command))


def _up_to(highest: int, command: Command) -> int:
    if command.number > highest:
        raise Refused(command)
    return command.number
