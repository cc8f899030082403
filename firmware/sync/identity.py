"""Who this appliance is to its collector, in files of its own. Blocking: call it in a thread.

A key is on the disk before its claim is sent: where the answer is lost, the same key and code get the same device
again. Each claim code has a key of its own, so that a person who sets a new code starts anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.durable_files import make_folder, plain_errors, rename_durably
from firmware.errors import DeliveryRefused
from firmware.sync.keys import Certificate, DeviceKey, read_certificate

IDENTITY_FILE = "device.json"
_PRIVATE_MODE = 0o600
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ODD = "the collector's answer to the claim makes no sense ({}); is sync.url the address of a collector?"


@dataclass(frozen=True, slots=True)
class Identity:
    """Enrolled."""

    device: str
    company: str
    key: DeviceKey
    certificate: Certificate
    certificate_pem: str
    claim_id: str
    """Which claim code it came by; the code itself is not kept."""


def claim_id(code: str) -> str:
    """Tells two codes apart, and nothing else."""
    return hashlib.sha256(code.strip().encode("utf-8")).hexdigest()[:16]


class IdentityFolder:
    """`data_dir/sync`. Raises: StorageError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> Identity | None:
        """None where this appliance is not enrolled. Raises: DeliveryRefused for files that make no sense."""
        file = self._folder / IDENTITY_FILE
        with plain_errors(file):
            try:
                value = json.loads(file.read_bytes())
                return self._identity(value, DeviceKey.read(self._key_file(value["claim_id"]).read_bytes()))
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DeliveryRefused(f"{file} is damaged; remove it and enrol with a new claim code") from error

    def key_for(self, code: str) -> DeviceKey:
        """The key that goes with a claim code: the one there, else a new one that is on the disk now."""
        file = self._key_file(claim_id(code))
        with plain_errors(file):
            make_folder(self._folder)
            with contextlib.suppress(FileNotFoundError, ValueError):
                return DeviceKey.read(file.read_bytes())
            key = DeviceKey.made()
            self._write_private(file, key.pem())
            return key

    def keep(self, answer: dict[str, Any], key: DeviceKey, of_claim: str) -> Identity:
        """What the collector answered to a claim or a renewal. Raises: DeliveryRefused."""
        value = {name: answer.get(name) for name in ("device", "company", "certificate_pem")}
        value["claim_id"] = of_claim
        try:
            identity = self._identity(value, key)
        except (ValueError, KeyError, TypeError) as error:
            raise DeliveryRefused(_ODD.format(error)) from error
        with plain_errors(self._folder):
            self._write_private(self._folder / IDENTITY_FILE, json.dumps(value).encode())
        return identity

    def _identity(self, value: dict[str, Any], key: DeviceKey) -> Identity:
        pem, device = value["certificate_pem"], value["device"]
        if not isinstance(pem, str) or not key.fits(pem):
            raise ValueError("the certificate is for another key")
        if not isinstance(device, str) or not _NAME.fullmatch(device):
            raise ValueError("the device has no name")
        return Identity(device, str(value["company"]), key, read_certificate(pem), pem, str(value["claim_id"]))

    def _key_file(self, of_claim: object) -> Path:
        if not isinstance(of_claim, str) or not _NAME.fullmatch(of_claim):
            raise ValueError("no key is named")
        return self._folder / f"key-{of_claim}.pem"

    def _write_private(self, file: Path, content: bytes) -> None:
        temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
        try:
            # Nobody else may read it, not even for the moment between writing and a change of its mode.
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE_MODE)
            with os.fdopen(handle, "wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            rename_durably(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)
