"""Where to send, with what credentials, and what the target claims to support (in ISO 9646's words: the PICS).

A role that is left out makes the requirements that need it ``not_verified``; nothing is guessed. ``${NAME}`` in the file
reads the environment, so that no key has to stand in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..spec.files import BadFile, Problem, read_text
from ..spec.load import seconds
from .connection import Deadlines

DEFAULT_DEADLINES = Deadlines(connect=5.0, first_byte=30.0, idle=30.0, total=120.0, window=65.0)
SHORTEST = 4
"""Characters of a credential that may be a secret."""
COMMENT = re.compile(r"(?:^|\s)#.*")
ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Recall:
    """How to tell an agent something (``{nonce}`` in ``tell``) and how to ask for it.

    ``given``: the profile vouches for it, so an agent that does not recall is a failure and not a shrug.
    """

    tell: str = "Remember this code: {nonce}"
    ask: str = "What code did I ask you to remember?"
    given: bool = False


@dataclass(frozen=True)
class Claimed:
    """The small limits of the keys ``limited``, ``daily`` and ``brief`` (its window in seconds); ``None``: not said."""

    requests_per_minute: int | None = None
    concurrent: int | None = None
    requests_per_day: int | None = None
    brief_requests: int | None = None
    brief_window: float | None = None


@dataclass(frozen=True)
class Profile:
    """One target, whole. ``pace``: requests per minute, ``None`` to follow the advertised limit, 0 not to pace at all."""

    base_url: str
    dialect: str
    credentials: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    recall: Recall = Recall()
    limits: Claimed = Claimed()
    session_expiry_s: float | None = None
    claims: frozenset[str] = frozenset()
    rulings: Mapping[str, str] = field(default_factory=dict)
    deadlines: Deadlines = DEFAULT_DEADLINES
    max_requests: int | None = None
    pace: int | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not appear in anything that is written. A shorter credential guards nothing, and is masked in headers alone."""
        return tuple(sorted({one for one in self.credentials.values() if len(one) >= SHORTEST}, key=len, reverse=True))

    def lacks(self, need: str) -> bool:
        """Whether the key named as in the file (``credentials.limited``) is missing; of several joined by ``or``, all."""
        return all(self._lacks(one) for one in need.split(" or "))

    def _lacks(self, need: str) -> bool:
        section, _, key = need.partition(".")
        part = getattr(self, section)
        if not key:
            return part is None
        return not (part.get(key) if isinstance(part, Mapping) else getattr(part, key))


def load_profile(path: Path | str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The data of a profile file with ``${NAME}`` replaced; ``BadFile`` names every mistake and every unset variable."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise BadFile(path, [Problem(1, 1, f"cannot be read: {reason}")]) from None
    known = os.environ if environment is None else environment
    data = read_text(text, path, "profile")
    unset = [
        Problem(number, found.start() + 1, f"the environment variable {found[1]} is not set")
        for number, line in enumerate(text.split("\n"), 1)
        for found in ENVIRONMENT.finditer(COMMENT.sub("", line))
        if found[1] not in known
    ]
    if unset:
        raise BadFile(path, unset)
    filled: dict[str, Any] = _fill(data, known)
    return filled


def _fill(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return ENVIRONMENT.sub(lambda found: known[found[1]], value)
    if isinstance(value, dict):
        return {key: _fill(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, known) for item in value]
    return value


def profile(data: Mapping[str, Any]) -> Profile:
    """A ``Profile`` from checked data; ``base_url`` and ``dialect`` must be there by now."""
    budget = data.get("budget", {})
    deadlines = {key: seconds(value) for key, value in data.get("deadlines", {}).items()}
    limits = dict(data.get("limits", {}))
    if "brief_window" in limits:
        limits["brief_window"] = seconds(limits["brief_window"])
    expiry = data.get("session_expiry")
    return Profile(
        base_url=data["base_url"].rstrip("/"),
        dialect=str(data["dialect"]),
        credentials=dict(data.get("credentials", {})),
        agents=dict(data.get("agents", {})),
        recall=Recall(**data["recall"], given=True) if "recall" in data else Recall(),
        limits=Claimed(**limits),
        session_expiry_s=None if expiry is None else seconds(expiry),
        claims=frozenset(data.get("claims", ())),
        rulings={key: str(value) for key, value in data.get("rulings", {}).items()},
        deadlines=replace(DEFAULT_DEADLINES, **deadlines),
        max_requests=budget.get("requests"),
        pace={"auto": None, "off": 0}.get(budget.get("pace", "auto"), budget.get("pace")),
    )
