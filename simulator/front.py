"""What answers the requests of one event loop: read, planned by the backend, carried out by the pacer, told to the journal."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from . import site
from .bending import HURRIED, hurries, wants_hurry
from .connections import PATIENCE, Patience, Sent
from .course import PLAIN, Course
from .door import Connection
from .intake import Trouble, before_body, receive, told
from .journal import Closed, Entry, Journal
from .masking import mask
from .pacer import Pacer
from .plan import About, End, Plan
from .request import HttpRequest
from .scopes import Scope, Scopes

Log = Callable[[str], None]
REUSED = Plan((), "reset", 0, "reset on reuse", about=About(faults=("reset-on-reuse",)))
"""What becomes of the next request on a connection that was doomed."""
ENDS: dict[End, Closed] = {"keep-alive": "kept", "close": "server", "reset": "reset", "doomed": "kept"}


class Begun(NamedTuple):
    """An answer under way. ``error``: why there is no plan."""

    entry: Entry
    scope: Scope
    error: Exception | None = None


@dataclass
class Front:
    """What answers the requests of one event loop."""

    scopes: Scopes
    pacer: Pacer
    log: Log | None
    journal: Journal
    course: Course = PLAIN
    patience: Patience = PATIENCE
    stopping: bool = False
    doomed: set[asyncio.Transport] = field(default_factory=set)

    async def __call__(self, request: BaseRequest) -> StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        trouble: Trouble | None = None
        begun = connection.taken()
        if begun is None:
            hurried = self._hurried(request)
            if hurried is None:
                limit = self.scopes.root.backend.rules.readings.body_limit
                asked, trouble = await receive(request, limit, self.patience.body_s)
            begun = self.begin(hurried or asked, trouble, doomed=request.transport in self.doomed)
        closed: Closed = "client"
        try:
            if begun.error is not None:
                raise begun.error
            plan, entry = begun.entry.plan, begun.entry
            if request.transport is not None and plan is not None:
                drain = request.writer.drain
                await self.pacer.carry_out(plan, request.transport, drain, entry.sent, begun.scope.clock)
                closed = ENDS[plan.end]
                self.doomed.discard(request.transport)
                if plan.end == "doomed":
                    self.doomed = {*filter(lambda one: not one.is_closing(), self.doomed), request.transport}
        except ConnectionError:
            pass
        except Exception:  # told apart from a client that left, and raised again
            closed = "server"
            raise
        finally:
            if trouble is not None and request.transport is not None:
                request.transport.close()
            self.pacer.keep_time(self.pacer.loop.time())
            self.over(begun, closed)
        return Sent(closed == "kept")

    def begin(self, asked: HttpRequest, trouble: Trouble | None = None, doomed: bool = False) -> Begun:
        """The answer to a request, planned, and its entry in the journal; ``over`` ends both. ``doomed``: its connection is."""
        began = time.monotonic()
        self.pacer.keep_time(self.pacer.loop.time())
        scope, heard = self.scopes.find(asked)
        entry = self.journal.begin(asked, scope.clock.now(), began, scope.name, scope.backend.secrets)
        error: Exception | None = None
        try:
            entry.plan = REUSED if doomed else self._plan(heard, scope, entry, trouble)
        except Exception as problem:  # noqa: BLE001  (raised again where aiohttp answers it)
            error = problem
        return Begun(entry, scope, error)

    def over(self, begun: Begun, closed: Closed) -> None:
        """The answer is over, for whatever reason."""
        entry = begun.entry
        if entry.plan is not None:
            self.course.finished(begun.scope.name, begun.scope.backend, entry.plan)
        stopped = self.stopping and closed == "client"
        self.journal.end(entry, time.monotonic(), "stopped" if stopped else closed)

    @property
    def hurries(self) -> bool:
        """Whether a fault in force may have a request answered before its body is read."""
        if self.scopes.alone and not self.scopes.root.backend.armoury:
            return False
        return any(scope.backend.armoury.has(HURRIED) for scope in self.scopes)

    def _hurried(self, request: BaseRequest) -> HttpRequest | None:
        """A request that is answered before its body is read, as far as it is known then."""
        if not wants_hurry(request.raw_path, request.headers) and not self.hurries:
            return None
        asked = before_body(request)._replace(keep_alive=False)
        scope, heard = self.scopes.find(asked)
        return asked if hurries(scope.backend, heard) else None

    def _plan(self, asked: HttpRequest, scope: Scope, entry: Entry, trouble: Trouble | None) -> Plan:
        if trouble is not None:
            return told(trouble, asked, entry.at)
        try:
            page = site.page(asked, self.scopes.root.backend.routes, entry.at)
            plan = page or self.course.reply(scope.name, scope.backend, asked, entry.at)
            entry.error = plan.about.error
        except Exception:
            entry.error = traceback.format_exc()
            raise
        finally:
            if entry.error:
                (self.log or _complain)(str(mask(entry.error, entry.hidden)))
        return plan


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
