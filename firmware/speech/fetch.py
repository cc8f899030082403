"""Fetches speech models from the Vosk project's own site into the data folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from firmware.errors import SpeechError
from firmware.speech.download import OnProgress, RemoteFile, Unreachable, download, fetch_text
from firmware.speech.unpacking import unpack

MODELS_URL = "https://alphacephei.com/vosk/models/"
MODEL_NAMES = {"en": "vosk-model-small-en-us-0.15", "zh": "vosk-model-small-cn-0.22"}
_LIST = "model-list.json"
_FOLDER = "speech"
# A small model unpacks to less than three times its size; the archive is there meanwhile.
_ROOM_TIMES_SIZE = 4


def models_folder(data_dir: Path) -> Path:
    """Where fetched models are."""
    return data_dir / _FOLDER


class Fetcher:
    """Fetches the small model of each language. `base_url` ends with a slash."""

    def __init__(self, data_dir: Path, base_url: str = MODELS_URL) -> None:
        self._folder = models_folder(data_dir)
        self._base_url = base_url if base_url.endswith("/") else f"{base_url}/"

    def model_folder(self, language: str) -> Path:
        """Where the model of a language is, or will be. Raises: SpeechError for a language without any."""
        if language not in MODEL_NAMES:
            raise SpeechError(f"there is no small model for {language!r}; there are: {', '.join(MODEL_NAMES)}")
        return self._folder / MODEL_NAMES[language]

    def is_there(self, language: str) -> bool:
        """Whether the model was fetched already. Folders appear whole or not at all."""
        return self.model_folder(language).is_dir()

    def find(self, language: str) -> RemoteFile:
        """What the site tells of the model. Raises: SpeechError."""
        name = self.model_folder(language).name
        url = self._base_url + _LIST
        try:
            return _entry(fetch_text(url), name, f"{self._base_url}{name}.zip", url)
        except Unreachable as error:
            raise self._offline(language, error) from error

    def fetch(self, language: str, remote: RemoteFile, on_progress: OnProgress) -> Path:
        """Download and unpack; returns the model's folder. Raises: SpeechError."""
        folder = self.model_folder(language)
        archive = self._folder / f"{folder.name}.zip"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._refuse_full_disk(remote)
            download(remote, archive, on_progress)
            unpack(archive, folder)
            archive.unlink()
        except Unreachable as error:
            raise self._offline(language, error) from error
        except OSError as error:
            raise SpeechError(f"the model cannot be kept in {self._folder}: {error}") from error
        return folder

    def _refuse_full_disk(self, remote: RemoteFile) -> None:
        needed = remote.size_bytes * _ROOM_TIMES_SIZE
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise SpeechError(f"the disk has {free >> 20} MB free; {needed >> 20} MB are needed for this model")

    def _offline(self, language: str, error: Unreachable) -> SpeechError:
        folder = self.model_folder(language)
        return SpeechError(
            f"{error}\nWhat was downloaded so far is kept. Without a network here: on another computer download "
            f"{self._base_url}{folder.name}.zip, unpack it, and copy the folder {folder.name} to {folder.parent} "
            "on this machine; then give this command again."
        )


def models_lines(folders: Sequence[tuple[str, Path]]) -> str:
    """What to put into the configuration."""
    models = "\n".join(f"    {language}: {folder}" for language, folder in folders)
    return f"speech:\n  engine: vosk\n  models:\n{models}"


def _entry(text: str, name: str, url: str, source: str) -> RemoteFile:
    """One model of the site's list."""
    try:
        entries = json.loads(text)
        entry = next((entry for entry in entries if entry["name"] == name), None)
        if entry is None:
            raise SpeechError(f"{source} does not tell of {name} any more; is there a newer version of this software?")
        return RemoteFile(url, int(entry["size"]), str(entry["md5"]).lower())
    except (ValueError, KeyError, TypeError) as error:
        raise SpeechError(f"{source} is not the list of models that it should be") from error
