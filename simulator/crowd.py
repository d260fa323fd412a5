"""The turns under way, for latencies that depend on how many there are. A turn is under way until its response is over."""

from __future__ import annotations

from collections.abc import Sequence

Group = tuple[str, str]
"""Who has to share: the dialect and the agent, or two empty texts for everybody."""
EVERYBODY: Group = ("", "")


class Crowd:
    """When each turn under way is planned to end, by ticket."""

    def __init__(self) -> None:
        self._ends: dict[Group, dict[int, float]] = {}
        self._groups: dict[int, Group] = {}

    def ends(self, group: Group) -> Sequence[float]:
        """The planned ends of those in a group."""
        return tuple(self._ends.get(group, {}).values())

    def join(self, group: Group, ticket: int, end: float) -> None:
        """A turn begins."""
        self._ends.setdefault(group, {})[ticket] = end
        self._groups[ticket] = group

    def leave(self, ticket: int) -> None:
        """It is over; nothing if it is not there."""
        group = self._groups.pop(ticket, None)
        if group is not None:
            self._ends[group].pop(ticket, None)
            if not self._ends[group]:
                del self._ends[group]
