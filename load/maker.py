"""Makes the requests of a run: all that does not change from turn to turn is made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import Any

from ..conformance.ask import Ask, Via, compose
from ..conformance.exchange import Request
from ..conformance.profile import Profile
from ..spec import Dialect

MESSAGE, SESSION = "\ue000", "\ue001"
"""What stands in a form of the body where a message and a session go; nobody says these characters."""


@dataclass
class Maker:
    """``base``: the request without its body. ``asked``: what is meant by it, as the judge wants to know."""

    dialect: Dialect
    profile: Profile
    stream: bool
    via: Via = "body"
    asked: Mapping[str, Any] = field(init=False)
    base: Request = field(init=False)
    _alone: str = field(init=False)
    _continued: str = field(init=False)

    def __post_init__(self) -> None:
        ask = Ask("load", message=MESSAGE, stream=self.stream)
        made, self.asked = compose(ask, self.dialect, self.profile, self.via)
        self.base = Request(made.method, made.target, made.headers)
        body: dict[str, Any] = json.loads(made.body)
        _put(body, self.dialect.request.chat["message"][0], MESSAGE)
        self._alone = _form(body)
        _put(body, self.dialect.request.chat["session"][0], SESSION)
        self._continued = _form(body)

    def body(self, message: str, session: str | None) -> bytes:
        """The body of the request for one turn."""
        said = encode_basestring_ascii(message)
        if session is None:
            return (self._alone % {"message": said}).encode("ascii")
        return (self._continued % {"message": said, "session": encode_basestring_ascii(session)}).encode("ascii")


def _form(body: Mapping[str, Any]) -> str:
    """A body as JSON with a place for what each turn says, to be filled in by ``%``."""
    text = json.dumps(body).replace("%", "%%")
    return text.replace(json.dumps(MESSAGE), "%(message)s").replace(json.dumps(SESSION), "%(session)s")


def _put(body: dict[str, Any], pointer: str, value: str) -> None:
    """Write at a JSON Pointer."""
    *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value
