"""One line of the log for each request, as text for people or as JSON for machines. Keys are masked in both."""

from __future__ import annotations

import json
import time

from . import masking
from .journal import Entry, as_json

ENDED = {"client": "client left", "stopped": "stopped", "reset": "reset"}


def plain(entry: Entry) -> str:
    """Time of day, request, status, what was said, milliseconds; then how it ended, if not as usual, and what bent it."""
    took = f"{(entry.took_s or 0.0) * 1000:.0f} ms"
    hidden = entry.hidden
    target = masking.target(entry.asked.target, hidden).encode("ascii", "backslashreplace").decode()
    said = str(masking.mask(entry.plan.said, hidden)) if entry.plan else ""
    bent = f"faults: {', '.join(entry.faults)}" if entry.faults else ""
    ended = ENDED.get(entry.closed, "")
    words = [time.strftime("%H:%M:%S"), entry.method, target, str(entry.status), said, took, ended, bent]
    words += [f"warning: {warning}" for warning in entry.warnings]
    return "  ".join(word for word in words if word)


def machine(entry: Entry) -> str:
    """The entry as one JSON object, without headers, bodies and bytes."""
    value = as_json(entry, wire=False)
    for name in ("headers", "body"):
        del value[name]
    return json.dumps({"event": "request", **value})
