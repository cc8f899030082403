"""Takes one recording from a line that is off hook: stream, limits, and an end in order whatever the modem does."""

from __future__ import annotations

from firmware.errors import CommandTimeout
from firmware.events import RecordingEnd
from firmware.modem.call_state import CallState
from firmware.modem.recording import Recorder
from firmware.modem.streams import Duplex, Reception, StreamContext
from firmware.ports import AudioSink, RecordLimits, Take


class Taking:
    """One recording, once."""

    def __init__(self, context: StreamContext, state: CallState, stream: Reception) -> None:
        self._context = context
        self._state = state
        self._stream = stream

    async def run(self, sink: AudioSink, limits: RecordLimits) -> Take:
        """Raises: ModemError, PortError."""
        recorder = Recorder(sink, limits, self._context.sample_format, self._recorder_ended)
        self._state.begin_reception(self._stream, recorder)
        try:
            await self._stream.open()
            if isinstance(self._stream, Duplex):
                self._stream.start()
            await self._until_over(recorder)
            if isinstance(self._stream, Duplex) and self._stream.all_said:
                recorder.finish(RecordingEnd.TIME_LIMIT)
            await self._leave(recorder)
        finally:
            self._state.recorder = None
            recorder.flush()
        take = recorder.take()
        self._state.taken(take)
        return take

    def _recorder_ended(self) -> None:
        self._stream.stop()
        self._context.bell.ring()

    async def _until_over(self, recorder: Recorder) -> None:
        """The bell does not ring for audio, so that a stream that stalls is seen by its byte count."""

        def over() -> bool:
            return recorder.end is not None or self._stream.over or self._context.dialogue.lost is not None

        received = -1
        while not over():
            if recorder.total_samples == received:
                recorder.finish(RecordingEnd.FAULT)
                return
            received = recorder.total_samples
            await self._context.bell.wait_until(over, self._context.timings.stalled)

    async def _leave(self, recorder: Recorder) -> None:
        """The rest of the modem's buffer, then command state; a modem that does not follow spoils no recording."""
        try:
            await self._stream.settle()
        except CommandTimeout:
            recorder.finish(RecordingEnd.FAULT)
        self._state.end_reception()
        if recorder.end is None:
            self._modem_ended(recorder)

    def _modem_ended(self, recorder: Recorder) -> None:
        """Unasked: what the modem suspected is a hang-up now (modem-reference 6.4), and without suspicion a fault."""
        suspicion = self._state.evidence or self._state.judge.suspicion
        if suspicion is None:
            recorder.finish(RecordingEnd.FAULT)
        else:
            self._state.evidence = suspicion
            recorder.far_end_gone(suspicion)
