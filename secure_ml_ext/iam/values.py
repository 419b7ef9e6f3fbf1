"""Numbers, dates, addresses and binary values, as condition operators read them.

Each reader returns None for what is not such a value: then neither the operator nor its negation
matches.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from datetime import datetime, timedelta, timezone

Number = int | float
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", re.ASCII)
_LONGEST_NUMBER = 400
# The W3C's profile of ISO 8601, https://www.w3.org/TR/NOTE-datetime.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]([0-9]{1,9}))?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?",
    re.ASCII,
)
_BOOLEANS = {"true": True, "false": False}
_PREFIXES = frozenset(map(str, range(129)))
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def number(text: str) -> Number | None:
    """Read an integer or decimal; exponents, separators and other bases are not numbers."""
    text = text.strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def date(text: str) -> Number | None:
    """Read a date (W3C profile of ISO 8601; UTC without a zone) or epoch seconds, as seconds."""
    text = text.strip()
    if found := _DATE.fullmatch(text):
        return _seconds(*found.groups())
    value = number(text)
    return value if isinstance(value, int) else None


def _seconds(
    year: str,
    month: str | None,
    day: str | None,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    zone: str | None,
) -> Number | None:
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        seconds += offset if zone[0] == "-" else -offset
    return seconds + int(fraction) / 10 ** len(fraction) if fraction else seconds


def boolean(text: str) -> bool | None:
    """Read ``true`` or ``false`` in any case."""
    return _BOOLEANS.get(text.lower())


def binary(text: str) -> bytes | None:
    """Read base-64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def network(text: str) -> Network | None:
    """Read an address or a range in CIDR notation; bits behind the prefix do not matter."""
    host, slash, prefix = text.partition("/")
    if slash and (prefix not in _PREFIXES or "%" in host):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Address | None:
    """Read a single address, IPv4 or IPv6."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
