"""What a host that is not this machine is spared unless somebody says that it is theirs: nobody loads another's server by a slip of the hand."""

from __future__ import annotations

import ipaddress

CEILING_RATE, CEILING_USERS = 10.0, 10
"""Turns a second, users at a time."""


def above(host: str, load: float, *, is_rate: bool, flag: str) -> str:
    """Why so much is refused there, by the flag that allows it; nothing where it is not."""
    unit, most = ("turns a second", CEILING_RATE) if is_rate else ("users", CEILING_USERS)
    if load <= most or loopback(host):
        return ""
    return f"{host} is not this machine, and {load:g} {unit} is above {most:g}: say {flag} if it is yours to load"


def loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
