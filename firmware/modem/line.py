"""One telephone line over one modem: `ports.TelephoneLine`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from firmware.errors import CommandTimeout, ModemError, PortError, PortLost
from firmware.events import CallerId
from firmware.journal import journal
from firmware.modem import calling, recovery
from firmware.modem.dialling import Dialled
from firmware.modem.dialogue import Dialogue
from firmware.modem.ears import LineEars
from firmware.modem.identify import identify, not_a_modem
from firmware.modem.monitor_tap import MonitorTap
from firmware.modem.off_hook import OffHookLine
from firmware.modem.options import LineOptions
from firmware.modem.prompts import PromptCache
from firmware.modem.punctuality import demand_punctuality
from firmware.modem.ringing import Answer, GivenUp
from firmware.modem.session import ModemSession
from firmware.modem.setup import set_country, set_terms, set_up_data, set_up_voice
from firmware.ports import CallMonitor, ModemIdentity, WireOpener

_CLOSING_SECONDS = 5.0
_UNKNOWN = ModemIdentity(maker="", model="", firmware="", profile="")


class ModemLine:
    """Drives one modem. `prompts` may be shared by all lines of a process."""

    def __init__(
        self,
        name: str,
        opener: WireOpener,
        options: LineOptions | None = None,
        *,
        prompts: PromptCache | None = None,
    ) -> None:
        self.name = name
        self._opener = opener
        self._options = options or LineOptions()
        self._timings = self._options.timings
        self._prompts = prompts or PromptCache()
        self._journal = journal("modem").bind(line=name)
        self._session: ModemSession | None = None
        self._probe: asyncio.Task[None] | None = None
        self._identity = _UNKNOWN
        self.country_set = False
        self._tap = MonitorTap()

    @property
    def identity(self) -> ModemIdentity:
        """Known once `open` has returned."""
        return self._identity

    @property
    def last_proved_alive(self) -> float | None:
        """The event loop's time of the modem's last sign of life, if there was one."""
        return None if self._session is None else self._session.proved_alive_at

    @property
    def monitor(self) -> CallMonitor | None:
        """Who is given both sides of the calls; may be set and taken away at any time, also in a call."""
        return self._tap.monitor

    @monitor.setter
    def monitor(self, monitor: CallMonitor | None) -> None:
        self._tap.monitor = monitor

    # --- opening and closing ---

    async def open(self) -> None:
        """Open the port, find out what the modem is, and set it up; see `ports.TelephoneLine`."""
        await self.close()
        wire = await self._opener()
        ears = LineEars(self._timings)
        session = ModemSession(wire, Dialogue(wire, ears), ears)
        self._session = session
        try:
            await self._prepare_or_explain(session)
        except BaseException:
            self._session = None
            await wire.close()
            raise

    async def _prepare_or_explain(self, session: ModemSession) -> None:
        try:
            await self._prepare(session)
        except ModemError:
            await demand_punctuality(session.dialogue, self._opener.place)
            raise

    async def _prepare(self, session: ModemSession) -> None:
        dialogue = session.dialogue
        try:
            await recovery.find_command_state(dialogue)
        except CommandTimeout as error:
            raise not_a_modem(self._opener.place) from error
        await set_terms(dialogue)
        await recovery.hang_up(dialogue)
        found = await identify(dialogue, self._options.profile, self._opener.place)
        await set_up_voice(dialogue, found.profile)
        await set_up_data(dialogue, found.profile)
        self.country_set = await set_country(dialogue, self._options.country)
        # The table of a format takes a while to build; not in the middle of the first call.
        assert found.codec.sample_format.silence
        session.found(found, self._options, self._tap)
        self._identity = found.identity
        session.ears.ringing.forget()
        self._journal.info("modem ready", modem=found.identity.model, profile=found.profile.name)

    async def close(self) -> None:
        """On hook where possible, then give the port back. Never raises."""
        session, self._session = self._session, None
        await self._drop_probe()
        if session is None:
            return
        with suppress(ModemError, PortError, TimeoutError):
            if session.in_call:
                async with asyncio.timeout(_CLOSING_SECONDS):
                    await recovery.reset(session.dialogue)
        await session.wire.close()

    async def reset(self) -> None:
        """Bring the modem back to idle; see `ports.TelephoneLine`."""
        session = self._ready_session()
        await self._drop_probe()
        await recovery.reset(session.dialogue)
        # A modem that had to be reset may have forgotten everything.
        await self._prepare(session)
        session.call_over()

    # --- ringing ---

    async def wait_for_ring(self) -> None:
        """Until the first ring, looking after the idle modem; see `ports.TelephoneLine`."""
        session = self._ready_session()
        ears = session.ears
        ears.ringing.forget_stale(session.now)
        try:
            while not ears.ringing.ringing:
                session.raise_if_lost()
                if not await ears.bell.wait_until(ears.rang_or_lost, self._timings.idle_probe):
                    await self._look_after(session)
        except BaseException:
            await self._drop_probe()
            raise

    async def read_caller(self, rings: int) -> CallerId | None:
        """Who calls; see `ports.TelephoneLine`."""
        session = self._ready_session()
        ringing = session.ears.ringing
        while True:
            session.raise_if_lost()
            decision = ringing.decide(rings, session.now)
            if isinstance(decision, Answer):
                return decision.caller
            if isinstance(decision, GivenUp):
                ringing.forget()
                return None
            await session.ears.wait_for_change(decision.until_seconds - session.now)

    async def _look_after(self, session: ModemSession) -> None:
        """Ask the idle modem whether it lives. A ring ends the waiting at once; the answer is then still to come."""
        await self._settle_probe()
        self._probe = probe = asyncio.create_task(self._ask_alive(session))
        probe.add_done_callback(lambda _: session.ears.bell.ring())
        await session.ears.bell.wait_until(
            lambda: probe.done() or session.ears.rang_or_lost(), 2 * self._timings.probe_answer
        )
        if probe.done():
            self._probe = None
            probe.result()

    async def _ask_alive(self, session: ModemSession) -> None:
        try:
            async with asyncio.timeout(self._timings.probe_answer):
                await session.dialogue.command("AT")
        except TimeoutError:
            raise CommandTimeout("AT", self._timings.probe_answer) from None

    async def _settle_probe(self) -> None:
        """A probe that a ring interrupted gets its answer first, so that no other command takes it."""
        probe, self._probe = self._probe, None
        if probe is not None:
            with suppress(ModemError):
                await probe

    async def _drop_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.cancel()
            await _finished(probe)

    # --- calls ---

    @asynccontextmanager
    async def answer(self) -> AsyncIterator[OffHookLine]:
        """Off hook inside the context; see `ports.TelephoneLine`."""
        session = self._ready_session()
        await self._settle_probe()
        session.call_offered()
        session.ears.ringing.forget()
        async with self._call(session) as voice:
            await calling.pick_up(session, voice)
            yield voice

    @asynccontextmanager
    async def dial(self, number: str) -> AsyncIterator[Dialled]:
        """Call out; on hook again after the context. Raises: ValueError for a forbidden number, and as `answer`."""
        session = self._ready_session()
        await self._settle_probe()
        async with self._call(session) as voice:
            yield await calling.call_out(session, voice, number)

    @asynccontextmanager
    async def _call(self, session: ModemSession) -> AsyncIterator[OffHookLine]:
        """On hook afterwards, whatever happened. A cancellation stays one, also when the modem is lost meanwhile."""
        voice = session.new_call(self._prompts)
        try:
            yield voice
        except asyncio.CancelledError:
            ending = asyncio.create_task(self._put_down(session, voice))
            problem = await _finished(ending)
            if problem is not None:
                self._journal.warning("not put down in order", problem=str(problem))
            raise
        except BaseException:
            await self._end_call(session, voice)
            raise
        await self._end_call(session, voice)

    async def _put_down(self, session: ModemSession, voice: OffHookLine) -> None:
        if troubles := voice.state.troubles():
            self._journal.warning("trouble on the wire in this call", **troubles)
        await calling.put_down(session, voice)

    async def _end_call(self, session: ModemSession, voice: OffHookLine) -> None:
        ending = asyncio.create_task(self._put_down(session, voice))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await _finished(ending)
            raise

    def _ready_session(self) -> ModemSession:
        if self._session is None:
            raise PortLost(f"the modem at {self._opener.place} is not open; open the line first")
        self._session.raise_if_lost()
        return self._session


async def _finished(task: asyncio.Task[None]) -> BaseException | None:
    """Wait until a task is over, whoever cancels us meanwhile: its own deadlines bound this. Returns its failure."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    failure = None if task.cancelled() else task.exception()
    if cancelled:
        # Told now that the line is in order.
        raise asyncio.CancelledError
    return failure
