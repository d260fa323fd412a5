"""Which plans a profile's keys are of: ``limited`` of the first that is documented, ``pro`` of the second, ``brief`` of one like
the first, but with a window whose end can be waited for."""

from __future__ import annotations

from ..spec import Dialect, Plan
from .profile import Profile

MINUTE_S = 60.0


def first_plan(dialect: Dialect) -> Plan | None:
    """The first plan that is documented; ``None`` if there is none."""
    return next(iter(dialect.plans.values()), None)


def second_plan(dialect: Dialect) -> Plan | None:
    """The plan documented after the first; ``None`` if there is none."""
    return next(iter(list(dialect.plans.values())[1:2]), None)


def brief_key(profile: Profile) -> tuple[str, int]:
    """The key whose window is waited for, and its requests in it: ``brief`` if there is one, else ``limited``."""
    key = "brief" if "brief" in profile.credentials else "limited"
    return key, requests_in_window(profile, key)


def requests_in_window(profile: Profile, key: str) -> int:
    """How many requests one of these two keys has in its window, as the profile says."""
    brief = profile.limits.brief_requests if key == "brief" else None
    return brief or profile.limits.requests_per_minute or 0


def window_s(profile: Profile, key: str) -> float:
    """How long the window of one of these two keys is, in seconds."""
    return (profile.limits.brief_window or MINUTE_S) if key == "brief" else MINUTE_S
