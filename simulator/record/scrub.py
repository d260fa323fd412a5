"""Credentials out of a recording: each key becomes ``key-recorded-N``, whatever else is secret ``[masked]``, in every text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...spec import Delta, Failure, ToolCall, ToolResult
from .. import masking
from ..request import HttpRequest, bearer
from . import decode
from .exchange import Exchange, Heard, Timed
from .reading import body_of, value_of

KEY = "key-recorded-{number}"


@dataclass
class Scrubber:
    """What has been seen that nobody else may see, and what stands for it. Nothing is ever forgotten."""

    keys: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def meet(self, asked: HttpRequest) -> None:
        """A request has come: every credential in it. Keys are numbered in this order."""
        key = bearer(asked.headers)
        if key:
            self._key(key)
        whole = asked.headers.get("authorization") if key else None
        self._hide(one for one in masking.secrets(asked) if one != whole)

    def learn(self, exchange: Exchange, made: Sequence[str] = ()) -> None:
        """Every credential of an exchange. ``made``: pointers to a key in the reply's body."""
        self.meet(exchange.asked)
        created = decode.at(value_of(exchange), made) if made else None
        if isinstance(created, str) and created:
            self._key(created)
        self._hide(masking.secrets_told(exchange.headers, body_of(exchange)))

    def _key(self, key: str) -> None:
        self.keys.setdefault(key, KEY.format(number=len(self.keys) + 1))

    def _hide(self, found: Iterable[str]) -> None:
        self.others |= {one: masking.HIDDEN for one in found if one not in self.keys}

    def secrets(self) -> Iterable[str]:
        """All of them, for whoever shows something else of the exchanges."""
        return [*self.keys, *self.others]

    def key(self, text: str) -> str:
        """What stands for that key."""
        return self.keys[text]

    def clean(self, value: Any) -> Any:
        """A JSON value without any of them, in the names of objects too."""
        return masking.replaced(value, {**self.others, **self.keys})

    def heard(self, heard: Heard) -> Heard:
        """All that was said in that turn, clean; a key that is cut up by the events of a stream is found too."""
        refused = heard.refused and replace(heard.refused, message=self.clean(heard.refused.message))
        return replace(
            heard,
            agent=self.clean(heard.agent),
            key=heard.key and self.key(heard.key),
            session=self.clean(heard.session),
            message=self.clean(heard.message),
            events=self._events(heard.events),
            refused=refused,
            notes=tuple(self.clean(note) for note in heard.notes),
        )

    def _events(self, events: Sequence[Timed]) -> tuple[Timed, ...]:
        pieces = iter(self._pieces([timed.event.text for timed in events if isinstance(timed.event, Delta)]))
        made = []
        for timed in events:
            event = timed.event
            match event:
                case Delta():
                    event = Delta(next(pieces))
                case ToolCall(name, args):
                    event = ToolCall(self.clean(name), self.clean(dict(args)))
                case ToolResult(name, result):
                    event = ToolResult(self.clean(name), self.clean(result))
                case Failure(message):
                    event = Failure(self.clean(message))
            made.append(timed._replace(event=event))
        return tuple(made)

    def _pieces(self, pieces: Sequence[str]) -> list[str]:
        """The pieces of a text, clean: what stands for a key is where the key began, and nothing where it went on."""
        whole = "".join(pieces)
        spans = masking.places(whole, {**self.others, **self.keys})
        made, at = [], 0
        for piece in pieces:
            ends = at + len(piece)
            text, behind = "", at
            for start, stop, shown in spans:
                if stop <= at or start >= ends:
                    continue
                text += whole[behind : max(start, behind)] + (shown if start >= at else "")
                behind = max(behind, min(stop, ends))
            made.append(text + whole[behind:ends])
            at = ends
        return made
