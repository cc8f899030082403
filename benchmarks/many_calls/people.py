"""Callers of every kind, each an async function that acts on a call. They end with CallOver or by hanging up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from benchmarks.many_calls.speech import unique_speech
from firmware.simulation.call import Call, CallOver, NotConnected

Person = Callable[[Call, random.Random], Awaitable[None]]

_LISTEN_SECONDS = 40.0
# Nobody answers within this when the line is out of order; a caller gives up earlier than an exchange.
_PATIENCE_SECONDS = 25.0
_NEVER_HANGS_UP_SECONDS = 1200.0


async def act(person: Person, call: Call, chance: random.Random) -> None:
    """Wait for the answer, act, hang up. A part of the callers leaves at any instant instead."""
    leaving: asyncio.TimerHandle | None = None
    if chance.random() < 0.3:
        leaving = asyncio.get_running_loop().call_later(chance.uniform(0.0, 60.0), call.hang_up)
    try:
        await call.answered(_PATIENCE_SECONDS)
        await person(call, chance)
    except (CallOver, NotConnected):
        return
    finally:
        if leaving is not None:
            leaving.cancel()
        call.hang_up()


async def leaves_message(call: Call, chance: random.Random) -> None:
    """Listens, chooses, speaks, ends with #, keeps."""
    await _to_message(call, chance)
    await _says(call, chance)
    await _key(call, chance, "#")
    await _key(call, chance, "1")
    await call.wait(_NEVER_HANGS_UP_SECONDS)


async def hangs_up_after_speaking(call: Call, chance: random.Random) -> None:
    """Most people: speaks and puts the phone down."""
    await _to_message(call, chance)
    await _says(call, chance)
    await call.wait(chance.uniform(0, 3))


async def falls_silent(call: Call, chance: random.Random) -> None:
    """Speaks, then only waits until the appliance ends it."""
    await _to_message(call, chance)
    await _says(call, chance)
    await call.wait(_NEVER_HANGS_UP_SECONDS)


async def records_again(call: Call, chance: random.Random) -> None:
    """Is not content with the first take, perhaps not with the second."""
    await _to_message(call, chance)
    for _ in range(chance.randint(1, 2)):
        await _says(call, chance)
        await _key(call, chance, "#")
        await _key(call, chance, "3")
        await call.heard_beep(_LISTEN_SECONDS)
    await _says(call, chance)
    if chance.random() < 0.7:
        await _key(call, chance, "#")
        await _key(call, chance, "1")


async def is_urgent(call: Call, chance: random.Random) -> None:
    """Listens to the message, calls it urgent, keeps it."""
    await _to_message(call, chance)
    await _says(call, chance)
    for key in "#241":
        await _key(call, chance, key)
    await call.wait(chance.uniform(0, 10))


async def wants_callback(call: Call, chance: random.Random) -> None:
    """To the own number where it is known, with or without a spoken reason."""
    await _greeted(call, chance)
    for key in (chance.choice("12"), "2", "1", chance.choice("123")):
        await _key(call, chance, key)
    await _gives_reason(call, chance)


async def wants_callback_elsewhere(call: Call, chance: random.Random) -> None:
    """To another number, keyed with mistakes."""
    await _greeted(call, chance)
    for key in (chance.choice("12"), "2", "2"):
        await _key(call, chance, key)
    await _digits(call, chance, chance.choice((7, 8, 11)))
    if chance.random() < 0.3:
        await _key(call, chance, "2")
        await _digits(call, chance, 11)
    await _key(call, chance, "1")
    await _key(call, chance, chance.choice("123"))
    await _gives_reason(call, chance)


async def keys_nonsense(call: Call, chance: random.Random) -> None:
    """Wrong keys at any instant."""
    for _ in range(chance.randint(1, 25)):
        await call.key(chance.choice("0123456789*#ABCD"), chance.uniform(0.05, 0.3))
        await call.wait(chance.uniform(0.05, 6))


async def says_nothing(call: Call, chance: random.Random) -> None:
    """Neither speaks nor keys; perhaps never hangs up."""
    await call.wait(chance.choice((5.0, 30.0, _NEVER_HANGS_UP_SECONDS)))


async def types_ahead(call: Call, chance: random.Random) -> None:
    """Knows the menus by heart and waits for no word."""
    await call.wait(chance.uniform(0, 0.5))
    await call.keys(chance.choice("12") + "1", 0.08, 0.08)
    await call.heard_beep(_LISTEN_SECONDS)
    await _says(call, chance)
    await call.keys("#1", 0.08, chance.uniform(0.06, 1.0))
    await call.wait(chance.uniform(0, 8))


async def talks_all_the_time(call: Call, chance: random.Random) -> None:
    """Speaks over the prompts, keys in between."""
    for _ in range(chance.randint(1, 6)):
        await call.speak(unique_speech(chance.uniform(0.5, 4), chance))
        if chance.random() < 0.6:
            await call.key(chance.choice("112#"))


PEOPLE: tuple[tuple[Person, int], ...] = (
    (leaves_message, 6),
    (hangs_up_after_speaking, 6),
    (falls_silent, 2),
    (records_again, 3),
    (is_urgent, 2),
    (wants_callback, 3),
    (wants_callback_elsewhere, 3),
    (keys_nonsense, 2),
    (says_nothing, 2),
    (types_ahead, 4),
    (talks_all_the_time, 2),
)
"""Everybody who calls, and how often."""


def any_person(chance: random.Random) -> Person:
    people, weights = zip(*PEOPLE, strict=True)
    chosen: Person = chance.choices(people, weights)[0]
    return chosen


async def _to_message(call: Call, chance: random.Random) -> None:
    await _greeted(call, chance)
    await _key(call, chance, chance.choice("12"))
    await _key(call, chance, "1")
    await call.heard_beep(_LISTEN_SECONDS)


async def _greeted(call: Call, chance: random.Random) -> None:
    await call.heard_speech(chance.choice((5.0, _LISTEN_SECONDS)))


async def _key(call: Call, chance: random.Random, key: str) -> None:
    """Cut into the words, or wait for their end."""
    if chance.random() < 0.5:
        await call.heard_silence(0.8, _LISTEN_SECONDS)
    else:
        await call.wait(chance.uniform(0.2, 3))
    await call.key(key, chance.uniform(0.06, 0.4))


async def _digits(call: Call, chance: random.Random, count: int) -> None:
    await call.wait(chance.uniform(0.2, 5))
    await call.keys("".join(chance.choices("0123456789", k=count)) + "#", 0.08, chance.uniform(0.06, 0.4))


async def _says(call: Call, chance: random.Random) -> None:
    await call.wait(chance.uniform(0, 1))
    for _ in range(chance.choice((1, 1, 1, 2))):
        await call.speak(unique_speech(chance.uniform(1, 8), chance))
        await call.wait(chance.uniform(0, 2))


async def _gives_reason(call: Call, chance: random.Random) -> None:
    await call.heard_beep(_LISTEN_SECONDS)
    if chance.random() < 0.5:
        await _says(call, chance)
    await call.key("#")
    await call.wait(chance.uniform(0, 20))
