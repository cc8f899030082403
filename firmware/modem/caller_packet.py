"""Raw caller ID packets, as +VCID=2 prints them: SDMF and MDMF in ASCII hex (modem-reference 4.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass

_SDMF = 0x04
_MDMF = 0x80
_SDMF_DATE_BYTES = 8
# MDMF parameter types.
_NUMBER, _NO_NUMBER, _NAME, _NO_NAME = 0x02, 0x04, 0x07, 0x08
_TAGS = {_NUMBER: b"NMBR", _NO_NUMBER: b"NMBR", _NAME: b"NAME", _NO_NAME: b"NAME"}
_SHORTEST_BYTES = 4
_LONGEST_BYTES = 2 + 255 + 1


@dataclass(frozen=True, slots=True)
class PacketField:
    """One field of a packet, under the tag that formatted caller ID has for it."""

    tag: bytes
    value: bytes


def parse_packet(line: bytes) -> list[PacketField] | None:
    """The fields of a line that is one whole packet in hex; None for any other line.

    The checksum byte may be missing: some modems cut it off after checking it.
    """
    packet = _unhex(line.strip())
    if packet is None or packet[0] not in (_SDMF, _MDMF):
        return None
    body = packet[2 : 2 + packet[1]]
    extra = len(packet) - 2 - packet[1]
    if len(body) < packet[1] or extra not in (0, 1):
        return None
    if extra and sum(packet) & 0xFF:
        return None
    return _sdmf(body) if packet[0] == _SDMF else _mdmf(body)


def _unhex(line: bytes) -> bytes | None:
    if len(line) % 2 or not _SHORTEST_BYTES <= len(line) // 2 <= _LONGEST_BYTES:
        return None
    try:
        return bytes.fromhex(line.decode("ascii"))
    except ValueError:
        return None


def _sdmf(body: bytes) -> list[PacketField] | None:
    if len(body) <= _SDMF_DATE_BYTES or not body[:_SDMF_DATE_BYTES].isdigit():
        return None
    return [PacketField(b"NMBR", body[_SDMF_DATE_BYTES:])]


def _mdmf(body: bytes) -> list[PacketField] | None:
    fields = []
    position = 0
    while position + 2 <= len(body):
        kind, length = body[position], body[position + 1]
        value = body[position + 2 : position + 2 + length]
        if len(value) < length:
            return None
        if kind in _TAGS:
            fields.append(PacketField(_TAGS[kind], value))
        position += 2 + length
    return fields if position == len(body) else None
