"""What can be checked without touching hardware: configuration, flow, prompts."""

from __future__ import annotations

from firmware.audio.catalogue import default_folder
from firmware.audio.own_versions import own_folder
from firmware.audio.shelf import Shelf
from firmware.errors import ConfigurationError, Problem
from firmware.ivr.flow import Flow
from firmware.ivr.loader import load_flow
from firmware.ivr.machine import draw_mermaid
from firmware.modem.countries import GCI_CODES
from firmware.services.check_delivery import delivery_problems, delivery_sentences
from firmware.services.profile_check import profile_problems
from firmware.services.shared_flow import chosen_flow
from firmware.settings import Settings
from firmware.speech.vocabulary import languages_with_model
from firmware.ups.loads.known_units import unit_problems
from firmware.ups.sources import power_problems, source_title

_LANGUAGES = ("zh", "en")


def check_everything(settings: Settings) -> list[str]:
    """A sentence for each part that is good. Raises: ConfigurationError with all that is not."""
    problems = profile_problems(settings) + power_problems(settings.power, [line.name for line in settings.lines])
    problems += [*unit_problems(settings.power), *delivery_problems(settings)]
    own_voice = own_folder(settings.data_dir)
    shelf = Shelf(
        default_folder(), settings.languages, lambda text: problems.append(Problem("prompts", 0, text)), own_voice
    )
    try:
        flow = chosen_flow(settings, shelf.known())
    except ConfigurationError as error:
        raise ConfigurationError([*problems, *error.problems]) from error
    problems += _speech_problems(settings)
    if problems:
        raise ConfigurationError(problems)
    return [
        f"configuration: {len(settings.lines)} lines, languages {', '.join(settings.languages)}",
        f"country: {country_sentence(settings)}",
        f"flow {settings.flow}: {len(flow.steps)} steps",
        "prompts: all there",
        f"speech: {_speech_sentence(settings)}",
        f"power: {source_title(settings.power)}",
        *delivery_sentences(settings),
    ]


def _speech_problems(settings: Settings) -> list[Problem]:
    """Models that are named and not there. What is in them, `speech check` and the start of the service tell."""
    return [
        Problem("configuration", 0, f"speech: there is no model at {folder}; `linekeeper speech fetch` gets one")
        for folder in settings.speech.models.values()
        if settings.speech.engine != "none" and not folder.is_dir()
    ]


def _speech_sentence(settings: Settings) -> str:
    if settings.speech.engine == "none":
        return "off; callers are served by keys"
    there = [language for language in settings.languages if language in languages_with_model(settings.speech)]
    return f"{settings.speech.engine}, understands {', '.join(there) or 'nothing: no model is configured'}"


def country_sentence(settings: Settings) -> str:
    """Whether modems can be told the country."""
    code = GCI_CODES.get(settings.country)
    if code is None:
        return f"{settings.country}, for which no modem setting is known; modems keep the one they have"
    return f"{settings.country}, told to modems as {code}"


def load_flow_by_name(reference: str) -> Flow:
    """A flow by path or `builtin:NAME`, checked against the shipped prompts. Raises: ConfigurationError."""
    shelf = Shelf(default_folder(), _LANGUAGES, lambda _: None)
    return load_flow(reference, shelf.available())


def draw_flow_by_name(reference: str) -> str:
    """Its Mermaid diagram. Raises: ConfigurationError."""
    return draw_mermaid(load_flow_by_name(reference))
