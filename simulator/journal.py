"""What was asked and what was answered, byte by byte: the newest requests, in memory, as many as there is room for.

Recording keeps references and reads nothing, so that a request pays the same whether one or a million went before it. What
is shown is masked: no credential leaves an entry by any of its properties.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable, MutableSequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from . import masking
from .plan import About, Plan
from .request import HttpRequest
from .writes import size

KEPT_ENTRIES = 1_000
KEPT_BYTES = 64 << 20
"""What the bodies and responses of all entries may hold together, in bytes, however few the entries are."""
OVERHEAD = 2_000
"""What one entry costs beside its bodies, about."""
NOTHING = About()

Closed = Literal["", "kept", "server", "reset", "client", "stopped"]
"""How a response ended: not yet; the connection was kept; closed after it; reset after it; the client left; the server stopped."""


def _row() -> MutableSequence[float]:
    return array("d")


@dataclass(slots=True, eq=False)
class Entry:
    """One request and its response. Times: ``at`` in seconds of the simulator's clock, all others in those of ``time.monotonic``.

    ``sent``: just before each write of the plan was handed over; the rest of them never were. ``ended``: when it was over.
    """

    number: int
    scope: str
    at: float
    began: float
    asked: HttpRequest = field(repr=False)
    known: Callable[[], Iterable[str]] = field(repr=False)
    plan: Plan | None = field(default=None, repr=False)
    sent: MutableSequence[float] = field(default_factory=_row, repr=False)
    ended: float | None = None
    closed: Closed = ""
    error: str = ""
    weight: int = 0
    held: bool = False

    @property
    def about(self) -> About:
        return self.plan.about if self.plan else NOTHING

    @property
    def hidden(self) -> set[str]:
        """Every credential that this entry could tell."""
        created = self.about.created
        return {*self.known(), *masking.secrets(self.asked), *([created] if created else [])}

    @property
    def dialect(self) -> str:
        return self.about.dialect

    @property
    def operation(self) -> str:
        """The operation's id in its dialect's table; empty for a page, or where no operation fits."""
        return self.about.operation

    @property
    def agent(self) -> str:
        return self._masked(self.about.agent)

    @property
    def session(self) -> str | None:
        return None if self.about.session is None else self._masked(self.about.session)

    @property
    def key(self) -> str | None:
        """The label of the key that the request came with; ``masking.label`` gives that of any key."""
        return None if self.about.key is None else masking.label(self.about.key)

    @property
    def method(self) -> str:
        return self.asked.method

    @property
    def target(self) -> str:
        return masking.target(self.asked.target, self.hidden)

    @property
    def headers(self) -> dict[str, str]:
        """The request's, names in lower case."""
        return masking.headers(self.asked.headers, self.hidden)

    @property
    def body(self) -> str:
        """The request's, as text; what is no UTF-8 is replaced."""
        return self._masked(self.asked.body.decode("utf-8", "replace"))

    @property
    def json(self) -> Any:
        """The request's body as a JSON value; ``ValueError`` if it is none."""
        return json.loads(self.body)

    @property
    def status(self) -> int:
        """Of the response; 0 as long as there is none."""
        return self.plan.status if self.plan else 0

    @property
    def said(self) -> str:
        """What was said, in a word or two: the refusal's name, or the kind of reply and its agent."""
        return self._masked(self.plan.said) if self.plan else ""

    @property
    def refusal(self) -> str | None:
        return self.about.refusal

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that bent the answer."""
        return self.about.faults

    @property
    def variant(self) -> str | None:
        return self.about.variant

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.about.warnings

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Why each rule of the script failed, the nearest first, if none fits this request; else nothing."""
        from .explaining import sentences

        return sentences(self) if self.about.unmatched else ()

    @property
    def over(self) -> bool:
        return self.ended is not None

    @property
    def took_s(self) -> float | None:
        """Real seconds from the request to the end of the response; ``None`` until then."""
        return None if self.ended is None else self.ended - self.began

    @property
    def response(self) -> bytes:
        """The bytes that were written, head and framing included; keys in them are asterisks."""
        return b"".join(data for _, data in self.writes)

    @property
    def due_s(self) -> list[float]:
        """When each write of the answer is due, made or not: seconds of the backend's clock after the request."""
        return [write.due_s for write in self.plan.writes] if self.plan else []

    @property
    def writes(self) -> list[tuple[float, bytes]]:
        """Each write that was made: seconds after the request, and its bytes, with asterisks where a key stands."""
        return self._writes(self.hidden)

    def _writes(self, hidden: Iterable[str]) -> list[tuple[float, bytes]]:
        made = [write.data for write in self.plan.writes[: len(self.sent)]] if self.plan else []
        wire = masking.veiled(b"".join(made), hidden)
        cuts = [0]
        for data in made:
            cuts.append(cuts[-1] + len(data))
        return [(at - self.began, wire[cuts[n] : cuts[n + 1]]) for n, at in enumerate(self.sent[: len(made)])]

    def __str__(self) -> str:
        said = self.said.partition("\n")[0]
        agent = f"agent={self.agent}" if self.refusal and self.agent else ""
        session = f"session={self.session}" if self.session else ""
        bent = f"faults={','.join(self.faults)}" if self.faults else ""
        number, status = f"#{self.number}", str(self.status)
        words = (number, self.method, self.target, status, said, agent, session, bent, self.closed or "open")
        return " ".join(word for word in words if word)

    def _masked(self, text: str) -> str:
        return str(masking.mask(text, self.hidden))


class Journal:
    """The newest ``limit`` entries, or fewer if their bytes are many; safe to read from any thread.

    ``heard``: called with every entry when it is over, on the thread that answers. ``ends``: how many have been; ``changed`` is
    told of each, and whoever waits for it must not keep its lock for long, since answers wait for it too.
    """

    def __init__(self, limit: int = KEPT_ENTRIES, room: int = KEPT_BYTES) -> None:
        self.limit, self.room = limit, room
        self.heard: list[Callable[[Entry], None]] = []
        self._lock = threading.RLock()
        self.changed = threading.Condition(self._lock)
        self.weight = 0
        self.ends = 0
        self._entries: deque[Entry] = deque()
        self._last = 0

    def __len__(self) -> int:
        return len(self._entries)

    def begin(
        self, asked: HttpRequest, at: float, began: float, scope: str = "", known: Callable[[], Iterable[str]] = tuple
    ) -> Entry:
        """The entry of a request that has come."""
        self._last += 1
        entry = Entry(self._last, scope, at, began, asked, known)
        if self.limit:
            with self._lock:
                self._entries.append(entry)
                entry.held = True
                self._weigh(entry, OVERHEAD + len(asked.body))
        return entry

    def end(self, entry: Entry, ended: float, closed: Closed) -> None:
        """Its response is over."""
        written = 0
        if entry.plan is not None:
            written = size(entry.plan.writes)
        with self._lock:
            entry.ended, entry.closed = ended, closed
            self.ends += 1
            if entry.held:
                self._weigh(entry, written)
            self.changed.notify_all()
        for hear in self.heard:
            hear(entry)

    def entries(self) -> list[Entry]:
        """All that are kept, oldest first."""
        with self.changed:
            return list(self._entries)

    def forget(self, which: Callable[[Entry], bool]) -> int:
        """Drop those entries; how many they were. Those under way are dropped as well, and end unheard of here."""
        with self.changed:
            kept: deque[Entry] = deque()
            before = len(self._entries)
            for entry in self._entries:
                if which(entry):
                    self._drop(entry)
                else:
                    kept.append(entry)
            self._entries = kept
            return before - len(kept)

    def _weigh(self, entry: Entry, more: int) -> None:
        entry.weight += more
        self.weight += more
        entries = self._entries
        while len(entries) > self.limit or (self.weight > self.room and len(entries) > 1):
            self._drop(entries.popleft())

    def _drop(self, entry: Entry) -> None:
        entry.held = False
        self.weight -= entry.weight


def as_json(entry: Entry, wire: bool = True) -> dict[str, Any]:
    """An entry as plain data. ``wire``: with the bytes of each write, as text in Latin-1, one character a byte.

    Times are milliseconds: ``at`` of the epoch, all others after the request; ``due_ms`` of the backend's clock, the rest real.
    """
    hidden = entry.hidden
    mask = partial(masking.mask, hidden=hidden)
    about = entry.about
    took = entry.took_s
    value: dict[str, Any] = {
        "number": entry.number,
        "scope": entry.scope,
        "at": round(entry.at * 1000),
        "monotonic": round(entry.began * 1000, 3),
        "dialect": about.dialect,
        "operation": about.operation,
        "agent": mask(about.agent),
        "session": mask(about.session),
        "key": entry.key,
        "method": entry.method,
        "target": masking.target(entry.asked.target, hidden),
        "headers": masking.headers(entry.asked.headers, hidden),
        "body": mask(entry.asked.body.decode("utf-8", "replace")),
        "status": entry.status,
        "said": mask(entry.plan.said if entry.plan else ""),
        "refusal": about.refusal,
        "streamed": about.streamed,
        "faults": list(about.faults),
        "variant": about.variant,
        "warnings": list(about.warnings),
        "error": mask(entry.error or about.error),
        "unmatched": _unmatched(entry) if about.unmatched else None,
        "closed": entry.closed,
        "took_ms": None if took is None else round(took * 1000, 3),
    }
    if wire:
        value["writes"] = [
            {"ms": round(at * 1000, 3), "due_ms": round(due * 1000, 3), "bytes": data.decode("latin-1")}
            for (at, data), due in zip(entry._writes(hidden), entry.due_s, strict=False)
        ]
    return value


def _unmatched(entry: Entry) -> dict[str, Any] | None:
    from .explaining import unmatched

    return unmatched(entry)
