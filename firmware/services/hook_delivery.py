"""A web hook, and a folder, as the far end of the main route."""

from __future__ import annotations

import asyncio

from firmware.ports import Clock, Uplink
from firmware.services.appliance_card import appliance_card
from firmware.services.late_uplink import LateUplink
from firmware.services.uplinks import Delivery, DeliveryParts, main_route
from firmware.sync.addresses import host_of
from firmware.sync.folder_uplink import FolderUplink
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.sender import FarEnd
from firmware.sync.signed_post import HookAddress, PatientRate, SignedPost
from firmware.sync.webhook_uplink import WebhookUplink
from firmware.sync_settings import SyncSettings


def webhook_delivery(parts: DeliveryParts) -> Delivery:
    """For mode `webhook`."""
    sync, route = parts.settings.sync, main_route(parts.settings)
    assert sync.url is not None  # the settings have seen to all three
    assert sync.secret_file is not None
    assert route is not None
    address = HookAddress(sync.url, sync.secret_file)

    async def make() -> Uplink:
        card = await asyncio.to_thread(appliance_card, parts.settings)
        return WebhookUplink(signed_post(sync, address, parts.clock), card)

    uplink = LateUplink(make)
    return Delivery(route, FarEnd(uplink, connect=uplink.connect), host_of(sync.url))


def folder_delivery(parts: DeliveryParts) -> Delivery:
    """For mode `folder`."""
    sync, route = parts.settings.sync, main_route(parts.settings)
    path, home = sync.path, parts.settings.data_dir
    assert path is not None  # the settings have seen to both
    assert route is not None

    async def make() -> Uplink:
        card = await asyncio.to_thread(appliance_card, parts.settings)
        return FolderUplink(path, card, home, same_disk=sync.same_disk)

    uplink = LateUplink(make)
    return Delivery(route, FarEnd(uplink, connect=uplink.connect), str(path))


def signed_post(sync: SyncSettings, address: HookAddress, clock: Clock) -> SignedPost:
    """With the proxy, the authority and the cap of the sync section."""
    how = CallerSettings(sync.request_timeout_seconds, sync.proxy, sync.authority_file)
    kilobytes = sync.most_kilobytes_per_second
    rate = PatientRate(None if kilobytes is None else kilobytes * 1000)
    return SignedPost(HttpCaller(how, rate, clock), address, clock)
