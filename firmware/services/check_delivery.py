"""What can be checked of delivery without the network: files that are named, addresses, the claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from firmware.errors import DeliveryRefused, Problem, StorageError
from firmware.mounted_folder import check_mounted
from firmware.services.uplinks import mail_route
from firmware.settings import Settings
from firmware.sync.addresses import expect_private, host_of
from firmware.sync.identity import IDENTITY_FILE
from firmware.sync.webhook_signing import read_secret

_MOST_FILE_BYTES = 1_000_000


def delivery_problems(settings: Settings) -> list[Problem]:
    """Everything in the sections sync, email and alerts that cannot work."""
    told = [*_sync_problems(settings), *_mail_problems(settings), *_alert_problems(settings)]
    return [Problem("configuration", 0, text) for text in told]


def delivery_sentences(settings: Settings) -> list[str]:
    """Where records, mails and alerts go."""
    sync, told = settings.sync, []
    where = f"{sync.mode} at {host_of(sync.url)}" if sync.url else f"folder {sync.path}"
    told.append(f"delivery: {'off; records stay on this appliance' if sync.mode == 'off' else where}")
    if mail_route(settings):
        told.append(f"e-mail: each new message to {', '.join(settings.email.to)} by {settings.email.server}")
    if steps := settings.alerts.steps:
        told.append(f"alerts: {len(steps)} steps, after {', '.join(f'{step.after_minutes:g}' for step in steps)} min")
    return told


def _sync_problems(settings: Settings) -> Iterator[str]:
    sync = settings.sync
    if sync.url:
        yield from _address("sync.url", sync.url)
    if sync.secret_file:
        yield from _file("sync.secret_file", sync.secret_file, _secret_fault)
    if sync.authority_file:
        yield from _file("sync.authority_file", sync.authority_file, _pem_fault)
    if sync.mode == "collector":
        yield from _claim(settings)
    if sync.path:
        try:
            check_mounted(sync.path, settings.data_dir, same_disk=sync.same_disk, section="sync", path_key="path")
        except (StorageError, OSError) as error:
            yield f"sync.path: {error}"


def _mail_problems(settings: Settings) -> Iterator[str]:
    email = settings.email
    if email.password_file:
        yield from _file("email.password_file", email.password_file, _password_fault)
    if email.authority_file:
        yield from _file("email.authority_file", email.authority_file, _pem_fault)


def _alert_problems(settings: Settings) -> Iterator[str]:
    for number, step in enumerate(settings.alerts.steps, 1):
        if hook := step.webhook:
            yield from _address(f"alerts, step {number}, webhook.url", hook.url)
            yield from _file(f"alerts, step {number}, webhook.secret_file", hook.secret_file, _secret_fault)


def _address(key: str, url: str) -> Iterator[str]:
    try:
        expect_private(url)
    except DeliveryRefused as error:
        yield f"{key}: {error}"


def _claim(settings: Settings) -> Iterator[str]:
    sync = settings.sync
    if sync.claim or _exists(settings.data_dir / "sync" / IDENTITY_FILE):
        return
    if sync.claim_file is None:
        yield (
            "sync: this appliance is not enrolled with its collector; make a code there "
            "(linekeeper-collector claim NAME) and write it into sync.claim"
        )
    else:
        yield from _file("sync.claim_file", sync.claim_file, _password_fault)


def _exists(file: Path) -> bool:
    """True also where whoever asks may not look; the service will tell."""
    try:
        return file.exists()
    except PermissionError:
        return True


def _file(key: str, file: Path, fault_of: Callable[[bytes], str | None]) -> Iterator[str]:
    try:
        with file.open("rb") as opened:
            fault = fault_of(opened.read(_MOST_FILE_BYTES))
    except PermissionError:
        # The services have users of their own, and a secret is for nobody else.
        return
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
    if fault:
        yield f"{key}: {file} {fault}"


def _secret_fault(content: bytes) -> str | None:
    try:
        read_secret(content.decode("utf-8"))
    except ValueError as error:
        return f"holds no secret to sign with: {error}"
    return None


def _password_fault(content: bytes) -> str | None:
    return None if content.strip() else "is empty"


def _pem_fault(content: bytes) -> str | None:
    return None if b"-----BEGIN CERTIFICATE-----" in content else "holds no certificate (PEM)"
