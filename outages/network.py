"""Two network namespaces and the wire between them, which breaks as it is told to (power-reference, section 0).

The laboratory itself runs in a namespace of its own, the centre's; the appliance runs in a second one, the site's. So
nothing here can reach any other address. There is no netem: loss and silence are nftables rules, slowness is tbf.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from outages.breaks import Kind

CENTRE_ADDRESS = "10.77.0.1"
_SITE_ADDRESS = "10.77.0.2"
_SITE = "site"
_CENTRE_END, _SITE_END = "centre0", "site0"
_RATE = ("tbf", "rate", "64kbit", "burst", "4kb", "latency", "400ms")

# Both directions, at the site's own end: an answer is lost as easily as a question.
_LOSS = "numgen random mod 100 < 30 drop;"
_SILENCE = "drop;"


class Network:
    """A context manager for a process that is alone in its network and mount namespace (see `__main__`)."""

    def __enter__(self) -> Self:
        _run("ip", "link", "set", "lo", "up")
        _run("mkdir", "-p", "/run/netns")
        # The name of the site's namespace must not be seen outside.
        _run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        _run("ip", "netns", "add", _SITE)
        _run("ip", "link", "add", _CENTRE_END, "type", "veth", "peer", "name", _SITE_END, "netns", _SITE)
        _run("ip", "addr", "add", f"{CENTRE_ADDRESS}/24", "dev", _CENTRE_END)
        _run("ip", "link", "set", _CENTRE_END, "up")
        self._site("ip", "addr", "add", f"{_SITE_ADDRESS}/24", "dev", _SITE_END)
        self._site("ip", "link", "set", "lo", "up")
        self._site("ip", "link", "set", _SITE_END, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _run("ip", "netns", "delete", _SITE)

    @staticmethod
    def in_site(*command: str) -> list[str]:
        """The command as it runs in the site's namespace; `ip` becomes it, so that its process id is the command's."""
        return ["ip", "netns", "exec", _SITE, *command]

    def disturb(self, kind: Kind) -> None:
        """Break the wire in one of its four ways; it stays so until `heal`."""
        if kind is Kind.LINK:
            self._site("ip", "link", "set", _SITE_END, "down")
        elif kind is Kind.SILENCE:
            self._filter(_SILENCE)
        elif kind is Kind.LOSS:
            self._filter(_LOSS)
        elif kind is Kind.SLOW:
            self._site("tc", "qdisc", "add", "dev", _SITE_END, "root", *_RATE)
            _run("tc", "qdisc", "add", "dev", _CENTRE_END, "root", *_RATE)

    def heal(self, kind: Kind) -> None:
        """The wire is as good as new."""
        if kind is Kind.LINK:
            self._site("ip", "link", "set", _SITE_END, "up")
        elif kind in (Kind.SILENCE, Kind.LOSS):
            self._site("nft", "delete", "table", "inet", "outage")
        elif kind is Kind.SLOW:
            self._site("tc", "qdisc", "del", "dev", _SITE_END, "root")
            _run("tc", "qdisc", "del", "dev", _CENTRE_END, "root")

    def bytes_received(self) -> int:
        """What reached the centre over the wire, headers of every layer included."""
        shown = json.loads(_run("ip", "-s", "-j", "link", "show", _CENTRE_END))
        return int(shown[0]["stats64"]["rx"]["bytes"])

    def _site(self, *command: str, text: str | None = None) -> str:
        return _run(*self.in_site(*command), text=text)

    def _filter(self, verdict: str) -> None:
        chains = "\n".join(
            f"chain {hook} {{ type filter hook {hook} priority 0; {name} {_SITE_END} {verdict} }}"
            for hook, name in (("input", "iifname"), ("output", "oifname"))
        )
        self._site("nft", "-f", "-", text=f"table inet outage {{\n{chains}\n}}\n")


def _run(*command: str, text: str | None = None) -> str:
    done = _completed(command, text)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return done.stdout


def _completed(command: Sequence[str], text: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
