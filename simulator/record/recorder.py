"""Keeps what was heard, and writes it as a script: whole, under another name first, so that a reader never sees half of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ...spec import Dialect
from ..journal_file import version
from ..routes import Routes
from . import conversations
from .exchange import Exchange, Heard, LeftOut
from .reading import find, read
from .scrub import Scrubber

MOST = 10_000
"""How many exchanges one recording holds: a script of more is of no use to anybody."""
SHOWN = 50
"""How many of those left out the file's head lists."""
DUMPER: type[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
HEAD = """\
# Recorded by chatproof {version} from {source}
# {counts}
# Keys are replaced: {keys}. Replay it with: chatproof serve --script {name}
# Each agent lives where it was recorded; without its `dialects` it lives in all of them.
"""


@dataclass
class Recorder:
    """``source``: where the exchanges come from, for the head of the file. Not for several threads at once."""

    routes: Routes
    source: str
    scrubber: Scrubber = field(default_factory=Scrubber)
    heard: list[Heard] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, exchange: Exchange) -> Heard | LeftOut:
        """Read an exchange and keep what was said; its secrets are known before anything of it is shown."""
        self.scrubber.learn(exchange, self._made(exchange))
        found: Heard | LeftOut = read(exchange, self.routes)
        if isinstance(found, Heard) and len(self.heard) >= MOST:
            found = LeftOut(exchange.number, f"a recording holds {MOST} exchanges")
        if isinstance(found, Heard):
            self.heard.append(found)
        elif len(self.left_out) < MOST:
            self.left_out.append(found)
        return found

    def copy(self) -> Recorder:
        """What there is now, for another thread."""
        scrubber = Scrubber(dict(self.scrubber.keys), dict(self.scrubber.others))
        return replace(self, scrubber=scrubber, heard=list(self.heard), left_out=list(self.left_out))

    def text(self, name: str) -> str:
        """The script, ready to be written to a file of that name; empty if there is nothing to say."""
        if not self.heard:
            return ""
        clean = [self.scrubber.heard(one) for one in self.heard]
        notes = [*(f"#{one.number}: {note}" for one in clean for note in one.notes), *self._left_out()]
        data = conversations.script(clean)
        named = ", ".join(sorted({one.key for one in clean if one.key}, key=lambda key: (len(key), key)))
        head = HEAD.format(
            version=version(), source=self.source, counts=self.counts, keys=named or "none were sent", name=name
        )
        listed = "".join(f"#   {_one_line(note)}\n" for note in notes[:SHOWN])
        more = f"#   and {len(notes) - SHOWN} more\n" if len(notes) > SHOWN else ""
        told = f"# Not recorded, or not as it was:\n{listed}{more}" if notes else ""
        return head + told + yaml.dump(data, Dumper=DUMPER, allow_unicode=True, sort_keys=False, width=10_000)

    @property
    def counts(self) -> str:
        """How much there is of it, in words."""
        talks = sum(len(conversations.talks(mine)) for mine in self._by_agent())
        told = f"{_many(len(self.heard), 'exchange')} in {_many(talks, 'conversation')}"
        return f"{told}, {len(self.left_out)} left out" if self.left_out else told

    def secrets(self) -> list[str]:
        """Every credential seen so far, and the label of none."""
        return list(self.scrubber.secrets())

    def _by_agent(self) -> Iterator[list[Heard]]:
        for place in dict.fromkeys((one.dialect, one.agent) for one in self.heard):
            yield [one for one in self.heard if (one.dialect, one.agent) == place]

    def _left_out(self) -> Iterator[str]:
        for one in self.left_out:
            yield f"#{one.number}: {self.scrubber.clean(one.why)}"

    def _made(self, exchange: Exchange) -> Sequence[str]:
        """Where the reply to a request that makes a key has the key."""
        route = find(exchange.asked, self.routes)
        made = _key_reply(route.dialect) if route and route.operation and route.operation.mode == "keys" else ()
        return made if exchange.status < 400 else ()


def write(path: Path, text: str) -> None:
    """Put ``text`` in the place of that file at once; ``OSError``."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8", newline="\n")
    os.replace(part, path)


def _key_reply(dialect: Dialect) -> Sequence[str]:
    return dialect.key_reply.roles.get("key", ()) if dialect.key_reply else ()


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _one_line(text: str) -> str:
    """Any text as the rest of a comment."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)[:300]
