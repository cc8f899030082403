"""What an address of a far end says about itself. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from firmware.errors import DeliveryRefused


def is_loopback(url: str) -> bool:
    """Whether it is this machine itself, by its name or its number."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Whether nobody on the way can read or change what is said: TLS, or this machine itself."""
    return urlsplit(url).scheme == "https" or is_loopback(url)


def expect_private(url: str) -> None:
    """Raises: DeliveryRefused for plain http to another machine."""
    if not is_private(url):
        raise DeliveryRefused(f"{host_of(url)} is named with http, which anybody on the way can read; write https")


def host_of(url: str) -> str:
    """Host and port, for a sentence."""
    return urlsplit(url).netloc.rpartition("@")[2]
