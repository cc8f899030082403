"""What needs this machine's loudspeaker or microphone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.cli.frame import Json, group, print_records, say, settings_of
from firmware.cli.prompts import _prompts
from firmware.cli.records import _lines

if TYPE_CHECKING:
    from firmware.audio.catalogue import Catalogue
    from firmware.audio.sound_devices import Device
    from firmware.settings import Settings

_sound = group("sound", "this machine's loudspeakers and microphones")

Language = Annotated[str | None, typer.Option(help="zh or en; the office's first language otherwise")]
Speaker = Annotated[str | None, typer.Option(help="a loudspeaker's name, or a part of it; see `sound devices`")]
Microphone = Annotated[str | None, typer.Option(help="a microphone's name, or a part of it; see `sound devices`")]

# A listener rather misses a moment than hears the call late.
_LATEST_SECONDS = 1.0


@_sound.command("devices")
def sound_devices(as_json: Json = False) -> None:
    """List what there is to speak with and to listen with."""
    print_records([_described(device) for device in asyncio.run(_devices())], as_json)


@_prompts.command("record")
def prompts_record(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="ID")],
    language: Language = None,
    microphone: Microphone = None,
    speaker: Speaker = None,
) -> None:
    """Record a prompt with your own voice: read it out, hear it as callers will, keep it or try again."""
    from firmware.audio.own_versions import own_folder
    from firmware.cli.recording import Booth, record_prompt

    settings = settings_of(context)
    catalogue = _catalogue()
    file = (_language(settings, language), _known_prompt(catalogue, prompt))
    booth = Booth(own_folder(settings.data_dir), catalogue, file, microphone, speaker)
    version = asyncio.run(record_prompt(booth))
    if version is None:
        print("nothing was kept")
        raise typer.Exit(1)
    print(f"kept as version {version} of {'/'.join(file)}; callers hear it once the service is started again")


@_prompts.command("play")
def prompts_play(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="ID")],
    language: Language = None,
    speaker: Speaker = None,
) -> None:
    """Play a prompt as callers hear it; without a configuration, the one that came with Linekeeper."""
    from firmware.audio.catalogue import default_folder
    from firmware.audio.own_versions import own_folder
    from firmware.audio.shelf import Shelf

    settings = settings_of(context) if context.obj else None
    own = own_folder(settings.data_dir) if settings else None
    spoken = _language(settings, language)
    shelf = Shelf(default_folder(), [spoken], say, own)
    clip = shelf.clip(_known_prompt(_catalogue(), prompt), spoken)
    print(clip.text)
    asyncio.run(_play(clip.s16, speaker))


@_lines.command("monitor")
def lines_monitor(context: typer.Context, name: str, speaker: Speaker = None) -> None:
    """Listen in to a line, both sides, until the call is over or you press Ctrl-C. The journal notes who listens."""
    asyncio.run(_listen_in(settings_of(context), name, speaker))


async def _devices() -> list[Device]:
    from firmware.audio.sound import LocalSound

    async with LocalSound() as sound:
        return await sound.devices()


async def _play(s16: bytes, speaker_name: str | None) -> None:
    from firmware.audio.sound import LocalSound

    async with LocalSound() as sound, sound.speaker(speaker_name) as speaker:
        await speaker.play(s16)


async def _listen_in(settings: Settings, line: str, speaker_name: str | None) -> None:
    from firmware.audio.sound import LocalSound
    from firmware.services.control_client import ControlClient
    from firmware.services.paths import control_socket

    client = ControlClient(control_socket(settings, "calls"))
    async with LocalSound() as sound, sound.speaker(speaker_name, longest_wait_seconds=_LATEST_SECONDS) as speaker:
        print(f"You listen to line {line}, and to the next call if there is none now. Ctrl-C ends.", flush=True)
        async for s16 in client.audio(line):
            speaker.write(s16)
        await speaker.play(b"")
    print("The call is over.")


def _described(device: Device) -> dict[str, str]:
    from firmware.audio.sound_streams import Direction

    return {
        "name": device.name,
        **{
            direction.value: "default"
            if direction in device.default_for
            else "yes"
            if direction in device.directions
            else "no"
            for direction in Direction
        },
    }


def _language(settings: Settings | None, language: str | None) -> str:
    from firmware.audio.catalogue import LANGUAGES

    wanted = language or (settings.languages[0] if settings else LANGUAGES[0])
    if wanted not in LANGUAGES:
        raise typer.BadParameter(f"there is no voice for {wanted}; there is: {', '.join(LANGUAGES)}")
    return wanted


def _catalogue() -> Catalogue:
    from firmware.audio.catalogue import default_folder, load_catalogue

    return load_catalogue(default_folder())


def _known_prompt(catalogue: Catalogue, prompt: str) -> str:
    from firmware.yaml_source import did_you_mean

    if prompt not in catalogue.prompts:
        raise typer.BadParameter(f'no prompt is called "{prompt}"{did_you_mean(prompt, catalogue.prompts)}')
    return prompt
