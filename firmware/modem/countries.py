"""Country codes for +GCI (ITU-T T.35 annex A; modem-reference 3.1). Two letters to two hex digits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

GCI_CODES: Mapping[str, str] = MappingProxyType(
    {
        "AT": "0A",
        "AU": "09",
        "BE": "0F",
        "BR": "16",
        "CA": "20",
        "CH": "A6",
        "CN": "26",
        "DE": "42",
        "DK": "31",
        "ES": "A0",
        "FI": "3C",
        "FR": "3D",
        "GB": "B4",
        "GR": "46",
        "HK": "50",
        "IE": "57",
        "IN": "53",
        "IT": "59",
        "JP": "00",
        "KR": "61",
        "MX": "73",
        "MY": "6C",
        "NL": "7B",
        "NO": "82",
        "NZ": "7E",
        "PH": "89",
        "PL": "8A",
        "PT": "8B",
        "RU": "B8",
        "SE": "A5",
        "SG": "9C",
        "TW": "FE",
        "UK": "B4",  # not the ISO code, but what many write for GB
        "US": "B5",
        "ZA": "9F",
    }
)
