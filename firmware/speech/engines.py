"""Finds an engine by the name that the configuration gives."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from firmware.errors import SpeechError
from firmware.speech.engine import EngineLoader, SpeechEngine

# A third-party library is imported only in its engine's module, and only when the configuration names it.
_MODULES = {
    "vosk": "firmware.speech.vosk_engine",
    "pocketsphinx": "firmware.speech.pocketsphinx_engine",
}


def load_engine(name: str, language: str, model: Path | None) -> SpeechEngine:
    """Load an engine with its model of one language; `model` None means the one that the engine carries.

    Raises: SpeechError with a sentence that says what is wrong and what to do.
    """
    if name not in _MODULES:
        raise SpeechError(f"no speech engine is called {name!r}; there is: {', '.join(_MODULES)}")
    try:
        module = import_module(_MODULES[name])
    except ImportError as error:
        raise SpeechError(
            f"the speech engine {name} is not installed ({error}); install it with: pip install 'linekeeper[speech]'"
        ) from error
    load: EngineLoader = module.load
    return load(language, model)
