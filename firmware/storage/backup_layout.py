"""What of a data folder belongs into a backup, and under which names."""

from __future__ import annotations

from firmware.errors import BackupUnusable
from firmware.storage.backup_manifest import MANIFEST
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.store_files import DATABASE_FILE

RECORDINGS = FOLDER
OWN_VOICE = "prompts"
"""The office's own prompts; `audio.own_versions` knows what is in there."""


def check_name(name: str) -> None:
    """Raises: BackupUnusable for a member that no backup has."""
    folder, _, rest = name.partition("/")
    if name in (DATABASE_FILE, MANIFEST) or (folder == OWN_VOICE and rest):
        return
    try:
        if folder == RECORDINGS and RecordingName.parse(rest).final == rest:
            return
    except ValueError as error:
        raise BackupUnusable(f"it holds {name[:80]!r}, which no backup of Linekeeper does") from error
    raise BackupUnusable(f"it holds {name[:80]!r}, which no backup of Linekeeper does")
