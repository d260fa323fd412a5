"""What an error or a silence of the operating system says of how an exchange ended: the same words for every client of ours."""

from __future__ import annotations

import ssl

from .connection import Deadlines
from .exchange import End

Ended = tuple[End, str]
"""How it ended, and the detail for people."""


def unconnected(error: Exception, deadlines: Deadlines) -> Ended:
    """Why no connection came to stand."""
    match error:
        case TimeoutError():
            return End.CONNECT_TIMEOUT, f"no connection within {deadlines.connect:g} s"
        case ConnectionRefusedError():
            return End.REFUSED, str(error)
        case ssl.SSLError():
            return End.TLS, str(error)
    return End.UNREACHABLE, str(error)


def broken_off(error: OSError) -> Ended:
    """Why nothing more can be read."""
    match error:
        case ssl.SSLEOFError():
            return End.CLOSED, f"without a TLS close: {error}"
        case ssl.SSLError():
            return End.TLS, str(error)
    return End.RESET, str(error)


def silent(deadlines: Deadlines, *, total: bool, started: bool) -> Ended:
    """Which deadline passed. ``total``: that of the whole exchange; ``started``: a byte had come."""
    if total:
        return End.TOTAL_TIMEOUT, f"not complete within {deadlines.total:g} s"
    if started:
        return End.IDLE_TIMEOUT, f"nothing for {deadlines.idle:g} s"
    return End.FIRST_BYTE_TIMEOUT, f"no byte within {deadlines.first_byte:g} s"
