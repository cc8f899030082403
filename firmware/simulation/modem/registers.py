"""What AT commands set: the profile a modem keeps with `&W` and goes back to with `Z`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

# Defaults of a Conexant's AT&V (modem-reference 2.3), echo apart: V.250 says on.
_S_DEFAULTS = {
    0: 0, 1: 0, 2: 43, 3: 13, 4: 10, 5: 8, 6: 2, 7: 50, 8: 1, 9: 6, 10: 14, 11: 85, 12: 50, 18: 0, 25: 5, 26: 1,
    29: 70, 36: 7, 86: 0,
}  # fmt: skip


@dataclass(slots=True)
class Registers:
    """One set. `voice` holds the values of `+V...` and vendor commands as they were given."""

    echo: bool = True
    quiet: bool = False
    verbose: bool = True
    call_progress: int = 4
    flow_control: int = 3
    country: str = "B5"
    s: dict[int, int] = field(default_factory=lambda: dict(_S_DEFAULTS))
    voice: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Registers:
        """Another set with the same values."""
        return replace(self, s=dict(self.s), voice=dict(self.voice))

    def number(self, name: str, index: int = 0) -> int:
        """One of the comma-separated numbers of a `+V...` value; 0 where there is none."""
        fields = self.voice.get(name, "").split(",")
        return int(fields[index]) if index < len(fields) and fields[index].isdigit() else 0

    @property
    def waits_for_dial_tone(self) -> bool:
        """X2 and X4 do (modem-reference 9)."""
        return self.call_progress in (2, 4)

    @property
    def software_flow(self) -> bool:
        """Whether the host chose XON/XOFF: `&K4` or `+IFC=1,1`."""
        return self.flow_control == 4 or self.voice.get("+IFC", "").startswith("1")
