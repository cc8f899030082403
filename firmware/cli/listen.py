"""What the appliance's ears make of recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from firmware.cli.frame import Json, app, settings_of

_DEFAULT_COUNTRY = "CN"


@app.command()
def listen(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="8 kHz WAV files")],
    words: Annotated[str, typer.Option(help="what may be said, parted by commas")] = "",
    language: Annotated[str, typer.Option(help="the language spoken")] = "en",
    country: Annotated[
        str | None, typer.Option(help="whose tones to listen for; the configuration's otherwise")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell the keys, tones and words in recordings."""
    from firmware.services.listen import Listener
    from firmware.settings import SpeechSettings

    settings = settings_of(context) if context.obj else None
    speech = settings.speech if settings else SpeechSettings(engine="pocketsphinx")
    where = country or (settings.country if settings else _DEFAULT_COUNTRY)
    phrases = [word.strip().lower() for word in words.split(",") if word.strip()]
    listener = Listener(where.upper(), speech, language, phrases)
    found = [listener.listen(file) for file in files]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for heard in found:
        print(f"{heard['file']}: keys {heard['digits'] or '-'}, tones {' '.join(heard['tones']) or '-'}, ", end="")
        print(f'words "{heard["text"]}" ({heard["confidence"]:.0%} sure)' if heard["text"] else "words -")
