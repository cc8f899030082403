"""What a caller does, as a list of steps: from YAML, or made up at random.

```yaml
- hear_speech: 30            # wait for a voice, at most this long
- hear_silence: 0.8          # wait until nothing has been said for so long
- hear_beep: 60
- key: "1"
- keys: "13800138000#"
- speak: 4.5                 # babble for so many seconds, or a WAV file by path
- wait: 2
- hang_up_within: 20         # from here on, hang up at a random instant within so many seconds
- hang_up
```
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import ConfigurationError, Problem
from firmware.simulation.call import Call, CallOver
from firmware.simulation.synthesis import DTMF_KEYS
from firmware.simulation.voices import babble
from firmware.yaml_source import parse_yaml

# Nobody listens longer than this for silence; the script then goes on.
_LISTEN_SECONDS = 60.0

Value = float | str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `value` is seconds, keys or a path, as the kind wants."""

    kind: str
    value: Value = 0.0


@dataclass(frozen=True, slots=True)
class Script:
    """Steps in order. The caller hangs up after the last one."""

    steps: tuple[Step, ...]

    async def run(self, call: Call, chance: random.Random | None = None) -> None:
        """Act it out once the call is answered. Raises: NotConnected; nothing when the call ends on the way."""
        actor = _Actor(call, chance or random.Random(0))
        await call.answered()
        try:
            for step in self.steps:
                await _DOINGS[step.kind](actor, step.value)
        except CallOver:
            return
        finally:
            actor.finish()


def parse_script(name: str, text: str) -> Script:
    """Read a script. Raises: ConfigurationError with every mistake in it."""
    source = parse_yaml(name, text)
    if not isinstance(source.value, list):
        raise ConfigurationError([source.problem((), "a script is a list of steps")])
    steps: list[Step] = []
    problems: list[Problem] = []
    for at, entry in enumerate(source.value):
        step = _parse_step(entry)
        if isinstance(step, Step):
            steps.append(step)
        else:
            problems.append(source.problem((at,), step))
    if problems:
        raise ConfigurationError(problems)
    return Script(tuple(steps))


def random_script(chance: random.Random) -> Script:
    """A caller of any kind: listens or does not, keys, speaks, and often hangs up at any instant."""
    steps = [chance.choice((Step("hear_speech", 5.0), Step("wait", chance.uniform(0, 3))))]
    if chance.random() < 0.5:
        steps.insert(0, Step("hang_up_within", chance.uniform(0.1, 40)))
    for _ in range(chance.randrange(6)):
        steps += _random_turn(chance)
    return Script(tuple(steps))


class _Actor:
    """A call, and the moment at which its caller leaves whatever the script says."""

    def __init__(self, call: Call, chance: random.Random) -> None:
        self.call = call
        self.chance = chance
        self._leaving: asyncio.TimerHandle | None = None

    def leave_within(self, seconds: float) -> None:
        delay = self.chance.uniform(0, seconds)
        self._leaving = asyncio.get_running_loop().call_later(delay, self.call.hang_up)

    def finish(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        self.call.hang_up()


async def _speak(actor: _Actor, value: Value) -> None:
    if isinstance(value, str):
        await actor.call.speak_wav(Path(value))
    else:
        await actor.call.speak(babble(value, actor.chance))


async def _key(actor: _Actor, value: Value) -> None:
    await actor.call.keys(str(value))


async def _wait(actor: _Actor, value: Value) -> None:
    await actor.call.wait(float(value))


async def _hear_speech(actor: _Actor, value: Value) -> None:
    await actor.call.heard_speech(float(value))


async def _hear_silence(actor: _Actor, value: Value) -> None:
    await actor.call.heard_silence(float(value), _LISTEN_SECONDS)


async def _hear_beep(actor: _Actor, value: Value) -> None:
    await actor.call.heard_beep(float(value))


async def _hang_up_within(actor: _Actor, value: Value) -> None:
    actor.leave_within(float(value))


async def _hang_up(actor: _Actor, _: Value) -> None:
    actor.call.hang_up()


_DOINGS: dict[str, Callable[[_Actor, Value], Awaitable[None]]] = {
    "hear_speech": _hear_speech,
    "hear_silence": _hear_silence,
    "hear_beep": _hear_beep,
    "key": _key,
    "keys": _key,
    "speak": _speak,
    "wait": _wait,
    "hang_up_within": _hang_up_within,
    "hang_up": _hang_up,
}


def _parse_step(entry: object) -> Step | str:
    """The step, or what is wrong with it."""
    if entry == "hang_up":
        return Step("hang_up")
    if not isinstance(entry, dict) or len(entry) != 1:
        return "a step is one of " + ", ".join(_DOINGS)
    ((kind, value),) = entry.items()
    if kind not in _DOINGS:
        return f"there is no step {kind!r}; there are {', '.join(_DOINGS)}"
    return _parse_value(str(kind), value)


def _parse_value(kind: str, value: object) -> Step | str:
    if kind in ("key", "keys"):
        keys = str(value)
        return Step(kind, keys) if keys and set(keys) <= DTMF_KEYS else f"{keys!r} is not on a keypad"
    if kind == "speak" and isinstance(value, str):
        return Step(kind, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        return f"{kind} wants seconds, not {value!r}"
    return Step(kind, float(value))


def _random_turn(chance: random.Random) -> list[Step]:
    key = Step("key", chance.choice("0123456789*#"))
    turns = (
        [Step("hear_silence", 1.0), key],
        [key],
        [Step("keys", "".join(chance.choices("0123456789", k=11)) + "#")],
        [Step("hear_beep", 10.0), Step("speak", chance.uniform(0.5, 8)), key],
        [Step("speak", chance.uniform(0.5, 4))],
        [Step("wait", chance.uniform(0, 6))],
    )
    return list(chance.choice(turns))
