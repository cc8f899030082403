"""Downloads large files over bad networks: goes on where it broke off, and believes nothing but the checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from firmware.errors import SpeechError

_TIMEOUT_SECONDS = 30.0
# Breaks in a row without a single new byte between them.
_FRUITLESS_ATTEMPTS = 3
_CHUNK_BYTES = 1 << 16
_PORTAL = "a web page came in place of {url}: this network may ask for a log-in first"

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file somewhere else, and what is known of it beforehand."""

    url: str
    size_bytes: int
    md5: str


class Unreachable(SpeechError):
    """The site cannot be reached from here. Part of the download may be kept for the next attempt."""


def fetch_text(url: str) -> str:
    """A small text. Raises: Unreachable, SpeechError."""
    try:
        response = httpx.get(url, timeout=_TIMEOUT_SECONDS, follow_redirects=True)
    except httpx.HTTPError as error:
        raise Unreachable(f"cannot reach {url}: {_reason(error)}") from error
    _refuse_other_answers(response, url)
    return response.text


def download(remote: RemoteFile, target: Path, on_progress: OnProgress) -> None:
    """Bring the file to `target`; what came before a break stays beside it, for the next call too.

    `on_progress` is told the bytes that are there so far. Raises: Unreachable, SpeechError, OSError.
    """
    partial = target.with_name(f"{target.name}.part")
    fruitless = 0
    while (before := _size(partial)) < remote.size_bytes:
        try:
            _fetch_rest(remote, partial, on_progress)
        except httpx.HTTPError as error:
            fruitless = 0 if _size(partial) > before else fruitless + 1
            if fruitless >= _FRUITLESS_ATTEMPTS:
                raise Unreachable(f"cannot reach {remote.url}: {_reason(error)}") from error
    _refuse_wrong_content(remote, partial)
    partial.replace(target)


def _fetch_rest(remote: RemoteFile, partial: Path, on_progress: OnProgress) -> None:
    have = _size(partial)
    headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
    with httpx.stream("GET", remote.url, headers=headers, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as response:
        _refuse_other_answers(response, remote.url)
        if response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            mode = "ab"
        else:  # a server that knows no ranges begins anew
            mode, have = "wb", 0
        with partial.open(mode) as file:
            for chunk in response.iter_raw(_CHUNK_BYTES):
                have += len(chunk)
                if have > remote.size_bytes:
                    break  # the checksum tells the rest
                file.write(chunk)
                on_progress(have)
    if have < remote.size_bytes:
        # Some servers end in good form in the middle.
        raise httpx.RemoteProtocolError(f"only {have} of {remote.size_bytes} bytes came")
    if have > remote.size_bytes:
        partial.unlink()
        raise SpeechError(f"{remote.url} is longer than the {remote.size_bytes} bytes that its site tells of")


def _refuse_other_answers(response: httpx.Response, url: str) -> None:
    if response.is_error:
        raise SpeechError(f"{url}: the site answers {response.status_code} {response.reason_phrase}")
    if "text/html" in response.headers.get("Content-Type", ""):
        raise SpeechError(_PORTAL.format(url=url))


def _refuse_wrong_content(remote: RemoteFile, partial: Path) -> None:
    with partial.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if digest != remote.md5:
        partial.unlink()
        raise SpeechError(f"{remote.url} arrived damaged (its checksum is wrong) and was thrown away; try again")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
