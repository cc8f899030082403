"""piper: neural voices, each a file of its own that the user brings.

Its command takes one text per line on standard input (piper-tts 1.8.0, `python -m piper --help`). A voice is
`NAME.onnx` with `NAME.onnx.json` beside it; every voice has a licence of its own, so none comes with Linekeeper.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from firmware.audio.catalogue import PIPER, Voice
from firmware.audio.synthesiser_program import run_program
from firmware.errors import PromptError

_CURE = "pip install piper-tts"
# Between the sentences of one prompt, as people pause; piper's own default is none.
_SENTENCE_SILENCE_SECONDS = 0.35


class Piper:
    """Implements `synthesis.Engine`."""

    def describe(self, voice: Voice) -> str:
        """See `Engine`; piper does not tell its version."""
        _check_files(Path(voice.voice).expanduser())
        program = _program()
        # Debian calls another program so: it sets the keys of a mouse.
        if "--model" not in run_program([program, "--help"], _CURE):
            raise PromptError(f"{program} is another program of that name, not the synthesiser: {_CURE}")
        return f"{PIPER} {voice.name}"

    def speak(self, voice: Voice, text: str, wav: Path) -> None:
        """See `Engine`."""
        command = [_program(), "-m", str(Path(voice.voice).expanduser()), "-f", str(wav)]
        pace = ["--length-scale", f"{voice.slowdown:.3f}", "--sentence-silence", f"{_SENTENCE_SILENCE_SECONDS:.2f}"]
        run_program([*command, *pace], _CURE, said=" ".join(text.split()) + "\n")


def _check_files(model: Path) -> None:
    for path in (model, model.with_name(f"{model.name}.json")):
        if not path.is_file():
            raise PromptError(
                f"the piper voice {path} is not there; a voice is two files, NAME.onnx and NAME.onnx.json"
            )


def _program() -> str:
    # pip puts it beside the interpreter, which need not be where the shell looks.
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return shutil.which(PIPER, path=places) or PIPER
