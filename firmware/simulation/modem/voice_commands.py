"""`+V...` and the vendors' own: V.253 as the families speak it (modem-reference 4, 5, 6, 8)."""

from __future__ import annotations

from collections.abc import Callable

from firmware.simulation.modem.chip import Chip, Mode
from firmware.simulation.modem.command_line import Command, Refused
from firmware.simulation.modem.outcome import OK, Handler, Outcome
from firmware.simulation.modem.profile import Ranges

_BYTE: Ranges = ((0, 255),)


class VoiceCommands:
    """Handlers by command name. `off_hook` takes the line, `begin` enters a stream state."""

    def __init__(self, chip: Chip, off_hook: Callable[[], None], begin: Callable[[Mode], None]) -> None:
        self._chip = chip
        self._off_hook = off_hook
        self._begin = begin
        self._parameters = self._parameter_table()
        self._table: dict[str, Handler] = {
            "+VLS": self._device,
            "+VSM": self._codec,
            "+VIP": self._initialise,
            "+VTX": lambda command: self._stream(command, Mode.TRANSMIT),
            "+VRX": lambda command: self._stream(command, Mode.RECEIVE),
            "+VTR": lambda command: self._stream(command, Mode.DUPLEX),
        }

    def find(self, command: Command) -> Handler | None:
        """Who handles a command, if anybody here does."""
        profile = self._chip.profile
        name = command.name
        if name[0] in "-#%*" and name not in profile.vendor_commands:
            return None
        if name.startswith("+V") and not profile.voice:
            return None
        if name in self._table:
            return self._table[name]
        return self._parameter if name in self._parameters else None

    def _parameter_table(self) -> dict[str, tuple[Ranges, ...]]:
        """The values that a parameter command takes, one entry for each of its numbers."""
        profile = self._chip.profile
        table: dict[str, tuple[Ranges, ...]] = {
            "+VGR": (profile.receive_gain,),
            "+VGT": (profile.transmit_gain,),
            "+VSD": (profile.vsd_sensitivity, _BYTE),
            "+VNH": (((0, 2),),),
            "+VDR": (((0, 1),), _BYTE),
            "+VCID": (((0, 2),),),
            "+IFC": (((0, 3),), ((0, 3),)),
            "-STE": (((0, 7),),),
            "-SCID": (((0, 2),),),
        }
        table |= dict.fromkeys(("+VTD", "+VIT", "+VRA", "+VRN", "#CLS", "#VBS", "#VLS"), (_BYTE,))
        return table

    def _parameter(self, command: Command) -> Outcome:
        allowed = self._parameters[command.name]
        if command.action == "=?":
            return Outcome(lines=(",".join(_spelled(ranges) for ranges in allowed),))
        if command.action == "?":
            return Outcome(lines=(self._chip.registers.voice.get(command.name, _least(allowed)),))
        numbers = command.value.split(",")
        if command.action != "=" or len(numbers) > len(allowed):
            raise Refused(command)
        for number, ranges in zip(numbers, allowed, strict=False):
            if not number.isdigit() or not _within(int(number), ranges):
                raise Refused(command)
        self._chip.registers.voice[command.name] = command.value
        return OK

    def _device(self, command: Command) -> Outcome:
        devices = self._chip.profile.devices
        if command.action == "=?":
            return Outcome(lines=tuple(f'{n},"{device.label}",{device.masks}' for n, device in devices.items()))
        if command.action == "?":
            return Outcome(lines=(str(self._chip.device),))
        number = int(command.value) if command.value.isdigit() else -1
        if not self._chip.in_voice or number not in devices:
            raise Refused(command)
        if not devices[number].off_hook:
            self._chip.put_down()
        elif not self._stays_on_hook(number):
            self._off_hook()
        self._chip.device = number
        own_hook = self._chip.profile.codes.own_hook if devices[number].off_hook else ""
        return Outcome(then=lambda: self._chip.outlet.event(own_hook))

    def _stays_on_hook(self, number: int) -> bool:
        quirk = self._chip.profile.vls_stays_on_hook or self._chip.faults.vls_stays_on_hook
        return quirk and number == 1

    def _codec(self, command: Command) -> Outcome:
        profile, chip = self._chip.profile, self._chip
        if command.action == "=?":
            return Outcome(lines=tuple(codec.listed() for codec in profile.codecs))
        if command.action == "?":
            return Outcome(lines=(f"{chip.codec.cml if chip.codec else 0},{chip.rate_hz},0,0",))
        numbers = [int(number) for number in command.value.split(",") if number.isdigit()]
        codec = profile.codec(numbers[0]) if numbers else None
        if not chip.in_voice or codec is None or not profile.vsm_parameters <= len(numbers) <= 4:
            raise Refused(command)
        rate_hz = numbers[1] if len(numbers) > 1 else codec.rates[0]
        if rate_hz not in codec.rates:
            raise Refused(command)
        chip.codec, chip.rate_hz = codec, rate_hz
        return OK

    def _initialise(self, _: Command) -> Outcome:
        self._chip.reset_voice()
        return OK

    def _stream(self, command: Command, mode: Mode) -> Outcome:
        """Needs voice class, a device, a codec that the bench can code, and, for both ways at once, the ability."""
        chip = self._chip
        able = chip.profile.duplex or mode is not Mode.DUPLEX
        codable = chip.codec is not None and chip.codec.format is not None and chip.rate_hz == 8000
        if not (chip.in_voice and chip.device and able and codable) or command.action:
            raise Refused(command)
        return Outcome("CONNECT", then=lambda: self._begin(mode))


def _within(number: int, ranges: Ranges) -> bool:
    return any(lowest <= number <= highest for lowest, highest in ranges)


def _spelled(ranges: Ranges) -> str:
    spans = (str(lowest) if lowest == highest else f"{lowest}-{highest}" for lowest, highest in ranges)
    return f"({','.join(spans)})"


def _least(allowed: tuple[Ranges, ...]) -> str:
    return ",".join(str(ranges[0][0]) for ranges in allowed)
