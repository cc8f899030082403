"""`linekeeper prompts build --own`: an office's own synthesised voice, as versions beside its recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from firmware.audio.build import all_files, speak, voices_of
from firmware.audio.catalogue import Catalogue, load_catalogue
from firmware.audio.files import SYNTHESISED, FileId, FileRecord, expected_text, load_files
from firmware.audio.own_prompts import keep_version
from firmware.audio.own_versions import current_sound
from firmware.audio.synthesis import describe_voice
from firmware.durable_files import plain_errors


def build_own(folder: Path, own: Path, piper_voices: Mapping[str, Path], *, only_changed: bool = True) -> list[str]:
    """Speak what is due, by piper in the languages of `piper_voices`, and return it as `language/prompt`.

    Due is a prompt whose sound says an old text and, where a piper voice was named, one that another voice says; with
    `only_changed` off, all of them. A person's own recording is never replaced. Raises: ConfigurationError,
    PromptError, StorageError.
    """
    catalogue = load_catalogue(folder)
    for language, voice_file in piper_voices.items():
        catalogue = catalogue.with_piper(language, voice_file)
    wanted_voices = {language: describe_voice(catalogue.voices[language]) for language in piper_voices}
    shipped = load_files(folder)
    due = []
    for file in all_files(catalogue):
        mine = _own_record(own, file)
        by_person = mine is not None and mine.source != SYNTHESISED
        current = _is_current(catalogue, file, mine, shipped.get(file), wanted_voices.get(file[0]))
        if not by_person and not (only_changed and current):
            due.append(file)
    made_by = voices_of(catalogue, due)
    for file in due:
        text = catalogue.text_checksum(file[1], file[0])
        keep_version(own, file, speak(catalogue, file), SYNTHESISED, made_by[file[0]], text)
    return ["/".join(file) for file in due]


def _own_record(own: Path, file: FileId) -> FileRecord | None:
    with plain_errors(own):
        # A broken version needs no word here: `check` tells it, and the one made now replaces it.
        sound = current_sound(own, file, lambda _: None)
    return sound.record if sound else None


def _is_current(
    catalogue: Catalogue, file: FileId, own: FileRecord | None, shipped: FileRecord | None, wanted_voice: str | None
) -> bool:
    if wanted_voice and (own is None or own.voice != wanted_voice):
        return False
    if own:
        return own.text == catalogue.text_checksum(file[1], file[0])
    return shipped is not None and shipped.text == expected_text(catalogue, file, shipped.source)
