"""A real HTTP server with models, in several tempers."""

from __future__ import annotations

import hashlib
import io
import json
import random
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

NAME = "vosk-model-small-en-us-0.15"
FILES = {
    f"{NAME}/am/final.mdl": random.Random(1).randbytes(200_000),
    f"{NAME}/conf/model.conf": b"--beam=10\n",
    f"{NAME}/README": b"a model",
}


def archive(files: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in (files or FILES).items():
            content.writestr(name, data)
    return buffer.getvalue()


@dataclass
class Site:
    """What the server gives, and what it was asked."""

    content: bytes
    breaks_after: list[int] = field(default_factory=list)
    """Bytes after which one answer after the other breaks off; after the last they are whole."""
    breaks_politely: bool = False
    """Whether a broken answer claims to be whole."""
    knows_ranges: bool = True
    told_size: int | None = None
    told_md5: str | None = None
    list_text: str | None = None
    page: bytes | None = None
    """A web page in place of every model, as a captive portal gives."""
    status: int = 200
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""

    def list(self) -> bytes:
        entry = {
            "lang": "en-us",
            "name": NAME,
            "md5": self.told_md5 or hashlib.md5(self.content).hexdigest(),
            "size": self.told_size or len(self.content),
            "size_text": "39.3MiB",
            "type": "small",
            "obsolete": "false",
            "url": f"https://elsewhere.invalid/{NAME}.zip",
        }
        return (self.list_text or json.dumps([{**entry, "name": "vosk-model-xx"}, entry])).encode()


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            # Who has enough of an answer hangs up on it.
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)  # type: ignore[arg-type]

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/models/"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    if request.path.endswith("model-list.json"):
        _send(request, 200, site.list(), "application/json")
    elif site.page is not None:
        _send(request, 200, site.page, "text/html; charset=utf-8")
    elif site.status != 200 or not request.path.endswith(f"/models/{NAME}.zip"):
        _send(request, site.status if site.status != 200 else 404, b"no", "text/plain")
    else:
        _send_model(request, site)


def _send_model(request: BaseHTTPRequestHandler, site: Site) -> None:
    wish = request.headers.get("Range")
    site.ranges.append(wish)
    start = int(wish.removeprefix("bytes=").rstrip("-")) if wish and site.knows_ranges else 0
    body = site.content[start:]
    send = site.breaks_after.pop(0) if site.breaks_after else len(body)
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
    request.send_header("Content-Length", str(min(send, len(body)) if site.breaks_politely else len(body)))
    request.end_headers()
    request.wfile.write(body[:send])
    request.close_connection = True


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
