"""The collector as the far end of the main route."""

from __future__ import annotations

from pathlib import Path

from firmware.errors import DeliveryRefused
from firmware.services.down_work import DownWork
from firmware.services.queue_view import QueueView
from firmware.services.uplinks import Delivery, DeliveryParts, main_route
from firmware.settings import Settings
from firmware.sync.addresses import host_of
from firmware.sync.collector_client import CollectorClient
from firmware.sync.collector_uplink import CollectorUplink
from firmware.sync.enrolment import Enrolment
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.identity import IdentityFolder
from firmware.sync.sender import FarEnd
from firmware.sync_settings import SyncSettings

IDENTITY_FOLDER = "sync"
"""Below `data_dir`: key and certificate, for the sync service alone."""
_MOST_CODE_CHARACTERS = 64


def collector_delivery(parts: DeliveryParts) -> Delivery:
    """For mode `collector`."""
    sync, route = parts.settings.sync, main_route(parts.settings)
    assert sync.url is not None  # the settings have seen to both
    assert route is not None
    client = collector_client(parts, sync)
    down = DownWork(parts.settings, parts.clock, client)
    enrolment = Enrolment(client, identity_folder(parts.settings), lambda: configured_claim(sync), down.start_again)
    view = QueueView(parts.outbox, route.name)
    uplink = CollectorUplink(client, enrolment, parts.clock, view.recent, parts.outbox.count_from)
    uplink.on_down = down.tell
    far_end = FarEnd(uplink, uplink.connect, down.before_records, lambda: uplink.audio_bytes_moved)
    return Delivery(
        route,
        far_end,
        host_of(sync.url),
        lambda: enrolment.certificate_ends,
        {"down": down.run},
        ask_news=down.tell,
        trouble=down.trouble,
    )


def collector_client(parts: DeliveryParts, sync: SyncSettings) -> CollectorClient:
    """Not enrolled yet."""
    assert sync.url is not None  # the settings have seen to it
    how = CallerSettings(sync.request_timeout_seconds, sync.proxy, sync.authority_file)
    return CollectorClient(sync.url, HttpCaller(how, parts.rate, parts.clock), parts.clock)


def identity_folder(settings: Settings) -> IdentityFolder:
    """Where this appliance keeps who it is."""
    return IdentityFolder(settings.data_dir / IDENTITY_FOLDER)


def configured_claim(sync: SyncSettings) -> str | None:
    """The code, from the configuration or its file; blocking. Raises: DeliveryRefused."""
    if sync.claim_file is None:
        return sync.claim
    return _read_claim(sync.claim_file)


def _read_claim(file: Path) -> str | None:
    try:
        with file.open(encoding="utf-8") as opened:
            code = opened.read(4 * _MOST_CODE_CHARACTERS).strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DeliveryRefused(
            f"sync.claim_file {file} cannot be read ({error}); let the sync service read it"
        ) from error
    if len(code) > _MOST_CODE_CHARACTERS:
        raise DeliveryRefused(f"sync.claim_file {file} holds no claim code; it is one word on one line")
    return code or None
