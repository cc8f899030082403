"""A PulseAudio server with a null sink, and an ALSA configuration that knows nothing else: sound without a sound card.

What is played into the sink comes back from its monitor, which is the microphone. PortAudio reaches both through ALSA's
pulse plug-in (package libasound2-plugins).
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 10.0

# ALSA's own configuration is left out: PortAudio would try the dozens of devices that it names.
_DEVICES = """
pcm.bench_speaker {{ type pulse server "unix:{socket}" device "bench" }}
pcm.bench_microphone {{ type pulse server "unix:{socket}" device "bench.monitor" }}
pcm.!default {{ type asym playback.pcm bench_speaker capture.pcm bench_microphone }}
"""
# At the telephone's rate nothing is resampled on the way round.
_MODULES = (
    "module-null-sink sink_name=bench norewinds=1 rate=8000 channels=1 format=s16le",
    "module-native-protocol-unix auth-anonymous=1 socket={socket}",
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A running server. `environment` leads ALSA to it, in this process or in another."""

    server: subprocess.Popen[bytes]
    environment: dict[str, str]

    def stop(self) -> None:
        """End it, as a crash of a sound server would."""
        self.server.kill()
        self.server.wait()


@contextmanager
def pulse_server() -> Iterator[Pulse]:
    """Inside, the server runs; its files are in a temporary folder of its own, short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="lk-pulse-") as name:
        folder = Path(name)
        devices = folder / "asound.conf"
        devices.write_text(_DEVICES.format(socket=folder / "socket"))
        with _server(folder) as server:
            _await_socket(folder / "socket", server)
            pulse = Pulse(server, {"ALSA_CONFIG_PATH": str(devices), "JACK_NO_START_SERVER": "1"})
            try:
                yield pulse
            finally:
                pulse.stop()


def _server(folder: Path) -> subprocess.Popen[bytes]:
    own = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"), str(folder))
    modules = [f"--load={module.format(socket=folder / 'socket')}" for module in _MODULES]
    options = ["--daemonize=no", "--exit-idle-time=30", "--use-pid-file=no", "--disable-shm=yes", "-n"]
    log = f"--log-target=file:{folder}/log"
    return subprocess.Popen(["pulseaudio", *options, log, *modules], env={**os.environ, **own})


def _await_socket(path: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(str(path)):
            log = path.with_name("log")
            told = log.read_text() if log.exists() else ""
            assert server.poll() is None, f"pulseaudio ended by itself: {told}"
            assert time.monotonic() < deadline, f"pulseaudio does not listen: {told}"
            time.sleep(0.02)
