"""`linekeeper demo`: one call on the bench, told as it happens, and the message that came of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware.errors import ServiceError
from firmware.events import CallEnded, CallRinging, RecordingStarted
from firmware.services.bench_appliance import SPEECH_FOLDER, BenchAppliance, bench_appliance, demo_folder, make_private
from firmware.services.demo_delivery import Delivery
from firmware.services.demo_power_cut import POWER_SETTINGS, PowerCut
from firmware.services.event_hub import Event
from firmware.services.event_json import event_to_json
from firmware.services.signals import until_told_to_stop
from firmware.services.transcript import sentence
from firmware.services.wire_text import WireReader
from firmware.simulation.bench_serve import steered
from firmware.simulation.modem.outlet import Direction
from firmware.storage.queries import Records

Say = Callable[[str], None]

_LINE = "line1"
_NUMBER, _NAME = "13800138000", "MARY CHEN"


async def run_demo(say: Say, *, once: bool, power_cut: bool = False, deliver: bool = False) -> None:
    """Place the call and tell it; then keep the bench for whoever wants to call, unless `once`.

    With `power_cut`, mains fails in the middle of the message. With `deliver`, records wait for a far end that is away,
    and go there when it is back. Raises: ServiceError when no message came of the call, or a demonstration runs
    already.
    """
    async with AsyncExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="linekeeper-demo-")) if once else None
        folder = Path(temporary) if temporary else demo_folder()
        make_private(folder)
        delivery = await stack.enter_async_context(Delivery(folder)) if deliver else None
        sections = delivery.settings() if delivery else ""
        power_settings = POWER_SETTINGS if power_cut else ""
        appliance = await stack.enter_async_context(bench_appliance(folder, power_settings, sections))
        if not once:
            say(f"The simulated lines are ready. Everything of this demonstration is in {folder}.")
        await _tell_call(appliance, say, power_cut, delivery)
        if not once:
            await _invite(appliance, say)


async def _tell_call(appliance: BenchAppliance, say: Say, power_cut: bool, delivery: Delivery | None) -> None:
    say("A caller rings a simulated line. What follows happens in real time, over a pty:\n")
    teller = _Teller(say)
    cut = PowerCut(appliance, teller.tell) if power_cut else None
    striking = asyncio.create_task(cut.strike(teller.recording)) if cut else None
    await _leave_message(appliance, teller)
    if cut and striking:
        await striking
        await cut.recovered()
    if delivery:
        await delivery.show(appliance, teller.tell)
    _tell_message(appliance, teller.call_id, say)
    if cut:
        say(f"\nThe incident, as `linekeeper incidents report` prints it:\n\n{cut.report()}")


async def _leave_message(appliance: BenchAppliance, teller: _Teller) -> None:
    """The caller's part: English, a message, spoken and kept."""
    appliance.service.hub.listen(teller.happened)
    modem = appliance.bench.line(_LINE).modem
    modem.watch_traffic(teller.passed)
    call = await appliance.bench.caller(_NUMBER, _NAME).dial(_LINE)
    await call.answered()
    await call.heard_silence(0.6)
    await call.wait(1.5)
    await call.key("2")
    await call.wait(3.5)
    await call.key("1")
    await call.heard_beep()
    await call.wait(0.5)
    teller.tell("says", "(an English voice: the October invoice has not arrived)")
    await call.speak_wav(SPEECH_FOLDER / "invoice-en.wav")
    await call.key("#")
    await call.wait(4.0)
    await call.key("1")
    await call.ended()
    await teller.call_ended.wait()
    modem.watch_traffic(None)


def _tell_message(appliance: BenchAppliance, call_id: str, say: Say) -> None:
    settings = appliance.settings
    with Records(settings.data_dir, ZoneInfo(settings.time_zone)) as records:
        messages = [message for message in records.messages() if message["call_id"] == call_id]
    if not messages:
        raise ServiceError("the call ended without a message; the lines above tell why")
    message = messages[-1]
    say(
        f"\nMessage {message['number']} from {message['caller_number']}, {message['duration_seconds']:.1f} s, "
        f"recorded at {message['recorded_at']}, is on the disk and would survive a power cut."
    )


async def _invite(appliance: BenchAppliance, say: Say) -> None:
    command = f"linekeeper --config {appliance.config}"
    say(
        "\nNow you: in another terminal, call the appliance yourself\n\n"
        "    .venv/bin/linekeeper phone\n\n"
        "or look at what is kept\n\n"
        f"    .venv/bin/{command} messages list\n"
        f"    .venv/bin/{command} messages export 1 message.wav\n\n"
        "Ctrl-C ends the demonstration."
    )
    async with steered(appliance.bench, demo_folder(), lambda _: None):
        await until_told_to_stop()


class _Teller:
    """Prints events and modem traffic as timed lines."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._wire = WireReader()
        self._began_at = asyncio.get_running_loop().time()
        self.call_id = ""
        self.recording = asyncio.Event()
        self.call_ended = asyncio.Event()

    def happened(self, event: Event) -> None:
        """An event of the appliance."""
        told = sentence(event_to_json(event))
        if told is not None:
            self.tell(*told)
        if isinstance(event, CallRinging):
            self.call_id = event.call_id
        if isinstance(event, RecordingStarted):
            self.recording.set()
        if isinstance(event, CallEnded):
            self.call_ended.set()

    def passed(self, direction: Direction, data: bytes, _at: float) -> None:
        """Bytes on the modem's wire."""
        if direction is Direction.DISCARDED:
            return
        for from_modem, text in self._wire.feed(from_modem=direction is Direction.FROM_MODEM, data=data):
            self.tell("modem" if from_modem else "to modem", text)

    def tell(self, who: str, what: str) -> None:
        """One line."""
        self._say(f"{asyncio.get_running_loop().time() - self._began_at:6.2f} s  {who:>8}  {what}")
