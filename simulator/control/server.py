"""The control API on its port: who may ask, what is valid, and answers in JSON. Nothing is changed unless everything is valid."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response
from aiohttp.web_runner import ServerRunner, TCPSite

from ...spec import did_you_mean
from ...spec.files import mistakes
from ..app import address_url, is_loopback, silent
from ..connections import PATIENCE, Connections
from ..intake import receive
from ..request import BODY_LIMIT, bearer, is_json, parse_json
from .openapi import document
from .operations import OPERATIONS, Operation
from .world import Answer, Call, Refused, World

MOST = 200
"""How many connections the control port has at most."""


@dataclass(frozen=True)
class Gate:
    """What answers the requests to the control port. ``token``: what each must bear, ``None`` for none on a loopback address."""

    world: World
    token: str | None

    async def __call__(self, request: BaseRequest) -> Response:
        try:
            self._admit(request)
            answer = await self._answer(request, await _body(request))
        except Refused as error:
            said = {"status": error.status, "message": str(error), "problems": error.problems, **error.more}
            headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
            if "allow" in error.more:
                headers["Allow"] = ", ".join(error.more["allow"])
            return _response(Answer({"error": said}, error.status), headers)
        except ConnectionError:
            raise  # the client has left while it was asking, and nobody hears an answer
        except Exception:  # noqa: BLE001  (a fault of ours is an answer, not a broken connection)
            self.world.log(traceback.format_exc())
            said = {"status": 500, "message": "the control API failed; the log has more", "problems": []}
            return _response(Answer({"error": said}, 500), {})
        return _response(answer, {})

    def _admit(self, request: BaseRequest) -> None:
        """A token where there is one; without, nobody but programs on this machine: no page in a browser, by no name."""
        if self.token is not None:
            given = bearer({name.lower(): value for name, value in request.headers.items()}) or ""
            if not hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode()):
                raise Refused(401, "the control token is needed: Authorization: Bearer <token>")
            return
        host = re.sub(r":\d+$", "", request.headers.get("Host", "localhost"))
        if not is_loopback(host.strip("[]")) or "Origin" in request.headers:
            raise Refused(
                403, "without a token only programs on this machine are answered, no pages and no other names"
            )

    async def _answer(self, request: BaseRequest, body: bytes) -> Answer:
        path, _, query = request.raw_path.partition("?")
        if path == "/openapi.json" and request.method == "GET":
            return Answer(self._document)
        operation, found = _find(request.method, path)
        given = {} if operation.text else _valid(operation, request, body)
        call = Call(self.world, found, _query(operation, query), given, _plain(body) if operation.text else "")
        try:
            if operation.prepare is not None:
                call = replace(call, prepared=await asyncio.to_thread(operation.prepare, call))
            said = operation.handle(call)
        except ValueError as error:
            raise Refused(400, str(error)) from None
        return said if isinstance(said, Answer) else Answer(said)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self.token is not None)


@asynccontextmanager
async def controlling(world: World, host: str, port: int, token: str | None) -> AsyncIterator[str]:
    """Serve the control API on the running loop until the block ends; its URL. ``OSError`` if the address cannot be had."""
    server = Connections(Gate(world, token), most=MOST, now=time.time, access_log=None, logger=silent())
    runner = ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await TCPSite(runner, host, port).start()
        yield address_url(runner.addresses[0])
    finally:
        await runner.cleanup()


def _find(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    fits = [(one, match.groupdict()) for one, pattern in PATTERNS if (match := pattern.fullmatch(path))]
    literal = [fit for fit in fits if not fit[1]] or fits
    for operation, found in literal:
        if operation.method == method:
            return operation, {name: unquote(value) for name, value in found.items()}
    if literal:
        allow = sorted({operation.method for operation, _ in literal})
        raise Refused(405, f"{path} takes {' and '.join(allow)}, not {method}", allow=allow)
    known = sorted({one.path for one in OPERATIONS} | {"/openapi.json"})
    raise Refused(404, f"there is no {path}{did_you_mean(path, known)}; /openapi.json lists what there is")


def _query(operation: Operation, text: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise Refused(400, "too many parameters") from None
    given = dict(pairs)
    problems = [f"parameter {name!r} is given twice" for name in given if [one for one, _ in pairs].count(name) > 1]
    for name in given:
        if name not in operation.query:
            hint = did_you_mean(name, list(operation.query)) or f"; known: {', '.join(operation.query) or 'none'}"
            problems.append(f"unknown parameter {name!r}{hint}")
    if problems:
        raise Refused(400, "; ".join(problems), problems)
    return given


def _valid(operation: Operation, request: BaseRequest, body: bytes) -> Mapping[str, Any]:
    if operation.body is None:
        if body:
            raise Refused(400, f"{operation.method} {operation.path} takes no body")
        return {}
    if not body and operation.optional:
        return {}
    if not is_json({name.lower(): value for name, value in request.headers.items()}):
        raise Refused(415, "expected Content-Type: application/json (with curl: --json)")
    try:
        value = parse_json(body)
    except ValueError as error:
        raise Refused(400, f"the body is not valid JSON: {error}") from None
    problems = mistakes(value, operation.body, "the body")
    if problems:
        raise Refused(400, "; ".join(problems), problems)
    return dict(value)


def _plain(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8: byte {error.start}") from None


async def _body(request: BaseRequest) -> bytes:
    asked, trouble = await receive(request, BODY_LIMIT, PATIENCE.body_s)
    if trouble is not None:
        raise Refused(trouble.status, trouble.says)
    if len(asked.body) > BODY_LIMIT:
        raise Refused(413, f"a body has {BODY_LIMIT} bytes at most")
    return asked.body


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    text = answer.value if isinstance(answer.value, str) else json.dumps(answer.value, indent=1) + "\n"
    return Response(
        body=text.encode("utf-8", "replace"), status=answer.status, headers={"Content-Type": answer.media, **headers}
    )


PATTERNS = [(one, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(one.path)))) for one in OPERATIONS]
