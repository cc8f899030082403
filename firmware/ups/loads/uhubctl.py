"""What uhubctl says of a port. Pure."""

from __future__ import annotations

import re

_HUB = re.compile(r"(?:Current|New) status for hub (\S+)")
_PORT = re.compile(r"\s+Port (\d+): [0-9a-f]{4}\b(.*)")


def port_has_power(output: str, port: int) -> bool | None:
    """Whether a port has power by the last word on it; None where it is not spoken of.

    A hub of USB 3 shows as two hubs, and the port has power while either of them gives it.
    """
    hub = ""
    powered: dict[str, bool] = {}
    for line in output.splitlines():
        if header := _HUB.match(line):
            hub = header[1]
        elif (found := _PORT.match(line)) and int(found[1]) == port:
            # Without a device and without a link it says `power` as well; `off` stands alone.
            powered[hub] = "power" in found[2].split()
    return any(powered.values()) if powered else None
