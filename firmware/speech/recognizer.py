"""Ears for speech in a process of their own. Whatever becomes of that process, calls go on by keypad."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from firmware.errors import SpeechError
from firmware.journal import journal
from firmware.ports import Grammar, Utterance
from firmware.settings import SpeechSettings
from firmware.speech.pace import Patience, Rests
from firmware.speech.session import WorkerSession
from firmware.speech.spoken import SpokenUtterance
from firmware.speech.vocabulary import Vocabulary
from firmware.speech.worker_process import WORKER_COMMAND

# A worker may be killed for other reasons while it loads a model, but not every time.
_DEADLY_LOADS = 2


class WorkerRecognizer:
    """`ports.Recognizer` over a worker process that is started again whenever it fails.

    `grammars` is everything that will ever be asked. Inside the context the worker is kept running, unless paused.
    `on_problem` is told one sentence when something goes wrong, and `on_recovered` when all is well again.
    """

    def __init__(
        self,
        settings: SpeechSettings,
        grammars: Sequence[Grammar],
        on_problem: Callable[[str], None],
        on_recovered: Callable[[], None],
        *,
        patience: Patience | None = None,
        command: Sequence[str] = WORKER_COMMAND,
    ) -> None:
        self._settings = settings
        self._vocabulary = Vocabulary(settings, grammars)
        self._on_problem = on_problem
        self._on_recovered = on_recovered
        self._patience = patience or Patience()
        self._command = command
        self._rests = Rests(self._patience)
        self._session: WorkerSession | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._checked = asyncio.Event()
        self._told: str | None = None
        self._on_trial = False
        self._died_loading: Counter[str] = Counter()
        self._journal = journal("speech")

    @property
    def languages(self) -> frozenset[str]:
        """Languages that are understood now."""
        return self._session.languages if self._session else frozenset()

    @property
    def process_id(self) -> int | None:
        """The worker's process; None while there is none."""
        return self._session.process_id if self._session else None

    def listen(self, grammar: Grammar) -> Utterance:
        """Begin to listen for one answer."""
        if self._session is not None:
            return self._session.listen(grammar)
        deaf = SpokenUtterance(0, lambda _: None, lambda _: None)
        deaf.end(None)
        return deaf

    async def checked(self) -> None:
        """Waits until the models were tried once, since the begin or `resume`; `languages` tells the outcome."""
        await self._checked.wait()

    async def pause(self) -> None:
        """Stop the worker, to save power. Who waits for an answer by voice gets None."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])

    def resume(self) -> None:
        """Start it again. Does nothing while it runs."""
        if self._keeper is None and self._vocabulary.languages:
            self._checked.clear()
            self._died_loading.clear()
            self._keeper = asyncio.create_task(self._keep(), name="speech worker")
        elif self._keeper is None:
            self._checked.set()

    async def __aenter__(self) -> Self:
        self.resume()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pause()

    async def _keep(self) -> None:
        """One worker after the other."""
        while True:
            deadly = frozenset(name for name, times in self._died_loading.items() if times >= _DEADLY_LOADS)
            session = WorkerSession(
                self._settings, self._vocabulary, self._patience, self._ready, self._timely_result, deadly
            )
            rest_seconds = await self._run(session)
            self._on_trial = session.too_slow
            await asyncio.sleep(rest_seconds)

    async def _run(self, session: WorkerSession) -> float:
        """Until this worker has failed. Returns how long to rest, in seconds."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        self._session = session
        try:
            await session.serve(self._command)
        except SpeechError as error:
            self._tell(str(error))
            if session.loading is not None:
                self._died_loading[session.loading] += 1
        finally:
            self._session = None
            self._checked.set()
        alive_seconds = loop.time() - began_at
        rest = self._rests.after_slowness if session.too_slow else self._rests.after_failure
        return rest(alive_seconds)

    def _ready(self, problems: Sequence[str]) -> None:
        self._journal.info("speech is understood", languages=sorted(self.languages))
        if problems:
            self._tell("; ".join(problems))
        elif not self._on_trial:
            self._all_is_well()
        self._checked.set()

    def _timely_result(self) -> None:
        # A machine that was too slow has proved itself only now.
        if self._on_trial:
            self._on_trial = False
            self._all_is_well()

    def _tell(self, problem: str) -> None:
        self._journal.warning("speech", problem=problem)
        if problem != self._told:
            self._told = problem
            self._on_problem(problem)

    def _all_is_well(self) -> None:
        if self._told is not None:
            self._told = None
            self._on_recovered()
