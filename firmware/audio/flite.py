"""flite: small and clear English voices."""

from __future__ import annotations

import re
from pathlib import Path

from firmware.audio.catalogue import Voice
from firmware.audio.synthesiser_program import run_program
from firmware.errors import PromptError

NAME = "flite"
_CURE = "apt-get install flite"
# How fast flite reads the voice rms by itself, pauses included; measured over our English prompts.
_WORDS_PER_MINUTE = 172


class Flite:
    """Implements `synthesis.Engine`."""

    def describe(self, voice: Voice) -> str:
        """See `Engine`."""
        if voice.voice not in run_program([NAME, "-lv"], _CURE).split():
            # flite would quietly take another one.
            raise PromptError(f'flite has no voice "{voice.voice}"; `flite -lv` names those it has')
        # It tells its version with status 1.
        found = re.search(r"\d+\.\d+(\.\d+)?", run_program([NAME, "--version"], _CURE, good_status=(0, 1)))
        return f"{NAME} {found[0] if found else 'unknown'} {voice.name}"

    def speak(self, voice: Voice, text: str, wav: Path) -> None:
        """See `Engine`."""
        stretch = f"duration_stretch={_WORDS_PER_MINUTE / voice.words_per_minute:.3f}"
        run_program([NAME, "-voice", voice.voice, "--setf", stretch, "-o", str(wav), "-t", text], _CURE)
