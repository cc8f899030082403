"""Wi-Fi or Bluetooth, blocked through the kernel's rfkill."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import LoadError
from firmware.ups.loads.system import System, read_word, write_bytes

# The command rfkill says wifi where the kernel says wlan (rfkill(8); include/uapi/linux/rfkill.h).
_KERNEL_WORDS = {"wifi": "wlan", "uwb": "ultrawideband"}
# struct rfkill_event: index, type, operation, soft, hard. Writing needs the right to the device only; sysfs would need
# CAP_NET_ADMIN.
_EVENT = struct.Struct("=IBBBB")
_CHANGE_ONE = 2
_ETHERNET = "1"


@dataclass(frozen=True, slots=True)
class _Radio:
    index: int
    blocked: bool


class RadioLoad:
    """With `unless_only_network`, a radio is left on while no wired interface has a link: it may carry the network.

    Left on so, it counts as shed; `check` says no as soon as that has changed, either way.
    """

    def __init__(self, name: str, device: str, unless_only_network: bool, system: System) -> None:
        self._name = name
        self._type = _KERNEL_WORDS.get(device, device)
        self._spare = unless_only_network and self._type == "wlan"
        self._system = system

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._block(await self._may_go())

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._block(blocked=False)

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        wanted = shed and await self._may_go()
        return all(radio.blocked == wanted for radio in await self._radios())

    async def _may_go(self) -> bool:
        return not self._spare or await has_wired_link(self._system.sys)

    async def _block(self, blocked: bool) -> None:
        for radio in await self._radios():
            if radio.blocked != blocked:
                # The type is not looked at where one is changed by its index.
                event = _EVENT.pack(radio.index, 0, _CHANGE_ONE, blocked, 0)
                await write_bytes(self._system.dev / "rfkill", event, self._name)

    async def _radios(self) -> list[_Radio]:
        folders = sorted((self._system.sys / "class/rfkill").glob("rfkill*"))
        found = [
            _Radio(int(folder.name[6:]), await read_word(folder / "soft") == "1")
            for folder in folders
            if folder.name[6:].isdecimal() and await read_word(folder / "type") == self._type
        ]
        if not found:
            raise LoadError(f"load {self._name}: there is no radio of the kind {self._type}; see: rfkill list")
        return found


async def has_wired_link(sys: Path) -> bool:
    """Whether a network card with a plug has a link."""
    for folder in (sys / "class/net").glob("*"):
        wired = (folder / "device").exists() and not (folder / "phy80211").exists()
        if wired and await read_word(folder / "type") == _ETHERNET and await read_word(folder / "carrier") == "1":
            return True
    return False
