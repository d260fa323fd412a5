"""One target, from what options and a profile file say together: where it is, which API, whose key, which agent. Checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..spec import Dialect, dialect, names
from .endpoint import Endpoint
from .profile import Profile, profile

NEEDED = {
    "url": ("base_url", "(or base_url in a profile): where the server is"),
    "dialect": ("dialect", "with a URL: one of {known}, or a folder"),
    "api-key": ("credentials.valid", "(or credentials.valid in a profile): a key that the target takes"),
    "agent": ("agents.default", "(or agents.default in a profile): the id of an agent to talk to"),
}
"""Options and their places in a profile, and what to say where neither is given."""


def target(data: Mapping[str, Any], options: Mapping[str, str | None], prefix: str = "--") -> tuple[Profile, Dialect]:
    """The profile in ``data`` with the options of ``NEEDED`` put over it. ``prefix``: what the options' names begin with.

    ``ValueError`` says in one line what is missing, by its option, or what is wrong; ``BadFile`` if the dialect's file is.
    """
    told = _with(_with(data, "url", options, prefix), "dialect", options, prefix)
    found = dialect(told["dialect"])
    told = _with(_with(told, "api-key", options, prefix), "agent", options, prefix)
    Endpoint.parse(told["base_url"])
    return profile({**told, "dialect": found.name}), found


def _with(data: Mapping[str, Any], option: str, options: Mapping[str, str | None], prefix: str) -> dict[str, Any]:
    """The data with that option in its place; ``ValueError`` if it has no such place and the option was not given."""
    place, message = NEEDED[option]
    part, _, role = place.partition(".")
    value = options.get(option) or (data.get(part, {}).get(role) if role else data.get(part))
    if not value:
        raise ValueError(f"{prefix}{option} is needed {message.format(known=', '.join(names()))}")
    return {**data, part: {**data.get(part, {}), role: value} if role else value}
