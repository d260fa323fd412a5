"""What was recorded of one exchange, before anybody has read it: lean, since a generator keeps thousands a second and reads few of them twice."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

from ..conformance.exchange import Chunk, End, Exchange, Request


class Heard(NamedTuple):
    """``body``: of the request. ``sent_ns``: monotonic, the last moment before its first byte left. ``reads``, ``end``, ``detail``: as in ``Exchange``.

    ``chunks``: those of the body, where one read brought all of them; they can be read off the bytes as well.
    """

    body: bytes
    sent_ns: int
    reads: list[Chunk]
    end: End
    detail: str
    chunks: list[bytes] | None = None

    @property
    def raw(self) -> bytes:
        """Every byte received."""
        reads = self.reads
        return reads[0].data if len(reads) == 1 else b"".join([read.data for read in reads])

    def exchange(self, base: Request) -> Exchange:
        """The same as the judge's reader wants it. ``base``: the request without its body."""
        sent_at = time.time() - (time.monotonic_ns() - self.sent_ns) / 1e9
        request = replace(base, body=self.body)
        return Exchange("", "", request, sent_at, self.sent_ns, tuple(self.reads), self.end, self.detail)
