"""The trap of espeak-ng's Mandarin: some of its voices spell pinyin in English, and nothing but `-x` tells.

Exit code, level and length look right (speech-reference 3), so both the voices of the catalogue and the sounds that
were made are judged.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from firmware.audio.catalogue import Catalogue
from firmware.audio.espeak_ng import NAME, phonemes, reads_other_language, was_trapped
from firmware.audio.files import FileId, FileRecord, wav_path
from firmware.errors import Problem, PromptError

_CURE = "for Mandarin use cmn-latn-pinyin, then run `linekeeper prompts build`"


def trap_problems(folder: Path, catalogue: Catalogue, records: Mapping[FileId, FileRecord]) -> Iterator[Problem]:
    """Sounds that such a voice made; and where espeak-ng is installed, voices of the catalogue that are such."""
    for file, record in sorted(records.items()):
        if was_trapped(record.voice):
            yield Problem(str(wav_path(folder, file)), 0, f"{record.voice} spells Mandarin in English; {_CURE}")
    if not shutil.which(NAME):
        return
    for language, voice in catalogue.voices.items():
        if voice.engine == NAME:
            yield from _voice_problems(catalogue, language)


def _voice_problems(catalogue: Catalogue, language: str) -> Iterator[Problem]:
    # All texts at once: one program instead of one for each of them.
    texts = "\n".join(prompt.texts[language] for prompt in catalogue.prompts.values())
    voice = catalogue.voices[language]
    place = ("voices", language, "voice")
    try:
        said = phonemes(voice, texts)
    except PromptError as error:
        yield catalogue.source.problem(place, str(error))
        return
    if not said or reads_other_language(said):
        told = f'the voice "{voice.voice}" reads by another language\'s rules ({said[:40]})'
        yield catalogue.source.problem(place, f"{told}; {_CURE}")
