"""Which conversation each session id of the target was made for: one that is made for two may give one's words to the other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from hashlib import blake2b

KEPT = 100_000
"""The newest that a process remembers."""
DIGEST = 8


class Sessions:
    """What one process has seen, or what all have whose data were merged."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, int] = OrderedDict()

    def hear(self, session: str, conversation: int) -> int | None:
        """The conversation for which it was made before, if that is another one."""
        known = self._made.setdefault(session, conversation)
        if len(self._made) > KEPT:
            self._made.popitem(last=False)
        return known if known != conversation else None

    def to_data(self) -> list[tuple[str, int]]:
        """Digests in place of the ids, which may be long."""
        return [
            (blake2b(session.encode("utf-8", "surrogatepass"), digest_size=DIGEST).hexdigest(), conversation)
            for session, conversation in self._made.items()
        ]

    def merge(self, data: Iterable[tuple[str, int]]) -> Iterator[tuple[int, int]]:
        """Take in what another process has seen, and tell the conversations that got one session id from both."""
        for digest, conversation in data:
            known = self._made.setdefault(digest, conversation)
            if known != conversation:
                yield known, conversation
