"""What goes wrong with modems, lines and caller IDs while the calls come in."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from firmware.simulation.bench import BenchLine
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming
from firmware.simulation.modem.faults import OPTIONAL_COMMANDS, ModemFaults

_TROUBLED_SHARE = 0.45

_FAULTS: tuple[Callable[[random.Random], ModemFaults], ...] = (
    lambda _: ModemFaults(commands_refused=OPTIONAL_COMMANDS),
    lambda _: ModemFaults(doubled_results=True),
    lambda _: ModemFaults(results_before_information=True),
    lambda _: ModemFaults(echo_always=True),
    lambda _: ModemFaults(numeric_results=True),
    lambda _: ModemFaults(ring_into_command=True),
    lambda _: ModemFaults(single_code_dtmf=True),
    lambda _: ModemFaults(play_result_at_once=True),
    lambda _: ModemFaults(record_end_crosses_abort=True),
    lambda _: ModemFaults(ends_recording_itself=True),
    lambda _: ModemFaults(caller_id_name_first=True, caller_id_line_seconds=0.7),
    lambda _: ModemFaults(vls_stays_on_hook=True),
    lambda _: ModemFaults(needs_triple_dle=True),
    lambda _: ModemFaults(xon_xoff=True),
    lambda chance: ModemFaults(late_result_seconds=chance.uniform(0.1, 4)),
    lambda chance: ModemFaults(split_events_seconds=chance.uniform(0.001, 0.05)),
    lambda chance: ModemFaults(hold_output_seconds=chance.uniform(0.02, 0.2), burst_bytes=chance.choice((1, 64, 4096))),
    lambda chance: ModemFaults(
        results_withheld=(chance.choice(("+VSM", "+VSD", "+VTX", "+VRX", "+VLS", "H", "+VTS")),)
    ),
    lambda chance: ModemFaults(hangs_after_commands=chance.randint(1, 40)),
    lambda chance: ModemFaults(buffer_bytes=chance.choice((512, 1024, 16384))),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong in one call. `timers` bring what comes later in it; cancel them when it is over."""

    name: str = ""
    timers: tuple[asyncio.TimerHandle, ...] = ()


def trouble_line(line: BenchLine, chance: random.Random) -> Trouble:
    """Set the modem's faults for the next call."""
    line.modem.faults = ModemFaults()
    if chance.random() >= _TROUBLED_SHARE:
        return Trouble()
    kind = chance.random()
    if kind < 0.7:
        line.modem.faults = chance.choice(_FAULTS)(chance)
        return Trouble(str(switched_on(line.modem.faults)))
    if kind < 0.9:
        return Trouble("plug pulled", (_later(chance, _plug_puller(line, chance)),))
    return Trouble("hangs", (_later(chance, line.modem.hang),))


def switched_on(faults: ModemFaults) -> dict[str, object]:
    """The faults that are in force."""
    healthy = ModemFaults()
    names = ModemFaults.__dataclass_fields__
    return {name: getattr(faults, name) for name in names if getattr(faults, name) != getattr(healthy, name)}


def _plug_puller(line: BenchLine, chance: random.Random) -> Callable[[], None]:
    """Out at some instant, in again with whatever the modem then says; some go away again at any byte."""
    back_seconds = chance.uniform(0.5, 20)

    def pull() -> None:
        line.unplug()
        asyncio.get_running_loop().call_later(back_seconds, line.replug)
        line.modem.faults = ModemFaults(
            garbage_after_plug_in=chance.choice((b"", b"\0\xff\x10\x03", b"\r\nRING\r\n")),
            brown_out_after_bytes=chance.choice((None, chance.randint(1, 40_000))),
        )

    return pull


def _later(chance: random.Random, action: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(chance.uniform(0, 45), action)


def still_there(faults: ModemFaults) -> ModemFaults:
    """What a line must live with for good; no driver can when results come very late or never."""
    return replace(faults, late_result_seconds=0.0, results_withheld=())


def any_caller(exchange: Exchange, chance: random.Random) -> Caller:
    """With a number of many, few, odd or no digits; named, garbled, late; leaving the line in any way."""
    return Caller(
        exchange,
        chance.choice(_NUMBERS)(chance),
        chance.choice(_NAMES)(chance),
        caller_id=chance.choice((None, None, *CallerIdTiming)),
        after_hang_up=chance.choice((None, None, *AfterHangUp)),
        noise=chance if chance.random() < 0.1 else None,
    )


_Text = Callable[[random.Random], str | bytes | None]

_NUMBERS: tuple[_Text, ...] = (
    lambda chance: f"138{chance.randrange(10**8):08d}",
    lambda chance: f"010{chance.randrange(10**8):08d}",
    lambda chance: f"139000000{chance.randrange(20):02d}",
    lambda _: "P",
    lambda _: "O",
    lambda _: None,
    lambda chance: chance.randbytes(chance.randint(0, 2000)),
)
_NAMES: tuple[_Text, ...] = (
    lambda _: None,
    lambda _: "WANG",
    lambda _: "张伟",
    lambda chance: chance.randbytes(chance.randint(0, 40)),
)
