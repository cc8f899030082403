"""The health of one appliance, a plain line for each thing that a technician can look at."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from firmware.audio.catalogue import default_folder
from firmware.audio.line_ear import tones_problem
from firmware.audio.own_versions import own_folder
from firmware.audio.shelf import Shelf
from firmware.clock import SystemClock
from firmware.errors import ConfigurationError
from firmware.events import LineState
from firmware.modem.countries import GCI_CODES
from firmware.services.check import country_sentence
from firmware.services.doctor_delivery import examine_delivery
from firmware.services.doctor_power import examine_power
from firmware.services.doctor_records import examine_records, unwritable_sentence
from firmware.services.doctor_system import examine_system
from firmware.services.finding import Finding
from firmware.services.line_view import list_lines
from firmware.services.shared_flow import chosen_flow
from firmware.services.speech_check import examine_speech
from firmware.settings import AUTO, Settings


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    return [
        *_data(settings),
        *examine_records(settings),
        *examine_delivery(settings),
        _clock(),
        _country(settings),
        *_voice(settings),
        *_ears(settings),
        *_ports(settings),
        *_lines(settings),
        *examine_power(settings),
        *examine_system(settings),
    ]


def _data(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding("data", False, f"{folder} does not exist; create it, or start the service once")
        return
    if not os.access(folder, os.W_OK):
        yield Finding("data", False, unwritable_sentence(folder))
        return
    free = shutil.disk_usage(folder).free // 1_000_000
    enough = free > settings.calls.keep_free_megabytes
    advice = "" if enough else "; callers can leave no voice, make room"
    yield Finding("disk", enough, f"{free} MB free at {folder}{advice}")


def _country(settings: Settings) -> Finding:
    return Finding("country", settings.country in GCI_CODES, country_sentence(settings))


def _clock() -> Finding:
    trusted = SystemClock().trusted()
    sentence = "the time of day is synchronised" if trusted else "not synchronised yet; opening hours count as open"
    return Finding("clock", trusted, sentence)


def _voice(settings: Settings) -> Iterator[Finding]:
    problems: list[str] = []
    shelf = Shelf(default_folder(), settings.languages, problems.append, own_folder(settings.data_dir))
    yield Finding("prompts", not problems, "; ".join(problems) or "all there")
    try:
        flow = chosen_flow(settings, shelf.available())
    except ConfigurationError as error:
        yield Finding("flow", False, "; ".join(str(problem) for problem in error.problems))
    else:
        yield Finding("flow", True, f"{settings.flow}, {len(flow.steps)} steps")


def _ears(settings: Settings) -> Iterator[Finding]:
    problem = tones_problem(settings.country)
    yield Finding("tones", problem is None, problem or "keys and tones are heard in the sound of a line as well")
    if settings.speech.engine == "none":
        yield Finding("speech", True, "off; callers are served by keys")
        return
    understood, problems = asyncio.run(examine_speech(settings.speech, settings.languages))
    for sentence in problems:
        yield Finding("speech", False, sentence)
    yield Finding("speech", bool(understood), f"understood: {', '.join(understood) or 'nothing'}")


def _ports(settings: Settings) -> Iterator[Finding]:
    # The modem of a resting line may be without power, and its port away.
    resting = {line["name"] for line in list_lines(settings) if line["state"] == LineState.RESTING.value}
    for line in settings.lines:
        if line.port != AUTO and line.name not in resting:
            yield _port(line.name, Path(line.port))


def _port(name: str, port: Path) -> Finding:
    subject = f"port of {name}"
    if port.exists() and not port.is_char_device():
        return Finding(subject, False, f"{port} is no serial port; name the modem's device in the configuration")
    if not port.exists():
        return Finding(subject, False, f"{port} does not exist; plug the modem in, or correct the configuration")
    if not os.access(port, os.R_OK | os.W_OK):
        return Finding(subject, False, f"{port} may not be opened by this user; add it to the group dialout")
    return Finding(subject, True, str(port))


def _lines(settings: Settings) -> Iterator[Finding]:
    for line in list_lines(settings):
        modem = f", {line['modem']}" if line["modem"] else ""
        yield Finding(f"line {line['name']}", line["fault"] is None, line["fault"] or f"{line['state']}{modem}")
