"""The journal on disk: JSON Lines as they happen, and a HAR file (1.2) of what is in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from .journal import Entry, as_json

HAR_VERSION = "1.2"


class JournalFile:
    """Appends each entry to a file as a line of JSON. ``OSError`` where the file cannot be opened.

    A disk that fails later stops the file and not the backend; ``complain`` hears of it, once.
    """

    def __init__(self, path: Path | str, complain: Callable[[str], None]) -> None:
        self._path = path
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115  (closed by its own block)
        self._complain = complain

    def __call__(self, entry: Entry) -> None:
        if self._file.closed:
            return
        try:
            self._file.write(json.dumps(as_json(entry)) + "\n")
            self._file.flush()
        except OSError as error:
            self._complain(f"the journal stops: {self._path}: {error.strerror or error}")
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        try:
            self._file.close()
        except OSError:
            return


def har(entries: Iterable[Entry]) -> dict[str, Any]:
    """Those entries as an HTTP Archive. Times are those of the simulator's clock."""
    creator = {"name": "chatproof", "version": version()}
    return {"log": {"version": HAR_VERSION, "creator": creator, "entries": [_har_entry(one) for one in entries]}}


def _har_entry(entry: Entry) -> dict[str, Any]:
    value = as_json(entry)
    wire = entry.response
    head, _, body = wire.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    response = [tuple(line.split(": ", 1)) for line in lines if ": " in line]
    first = value["writes"][0]["ms"] if value["writes"] else 0.0
    took = value["took_ms"] or first
    host = entry.headers.get("host", "localhost")
    url = value["target"] if "://" in value["target"] else f"http://{host}{value['target']}"
    media = {name.lower(): text for name, text in response}.get("content-type", "")
    return {
        "startedDateTime": datetime.fromtimestamp(entry.at, UTC).isoformat().replace("+00:00", "Z"),
        "time": took,
        "request": {
            "method": entry.method,
            "url": url,
            "httpVersion": f"HTTP/{entry.asked.version[0]}.{entry.asked.version[1]}",
            "cookies": [],
            "headers": _named(value["headers"].items()),
            "queryString": _named(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
            "postData": {"mimeType": value["headers"].get("content-type", ""), "text": value["body"]},
            "headersSize": -1,
            "bodySize": len(entry.asked.body),
        },
        "response": {
            "status": entry.status,
            "statusText": status_line.split(" ", 2)[2] if status_line.count(" ") > 1 else "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(response),
            "content": {"size": len(body), "mimeType": media, "text": _content(body).decode("utf-8", "replace")},
            "redirectURL": "",
            "headersSize": len(head) + 4 if wire else -1,
            "bodySize": len(body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": first, "receive": max(0.0, took - first)},
        "_chatproof": {
            name: value[name]
            for name in ("number", "scope", "dialect", "operation", "agent", "session", "key", "refusal", "faults", "closed", "writes")
        },
    }  # fmt: skip


def version() -> str:
    """Ours, as it is installed; empty where it is not."""
    try:
        return metadata.version("chatproof")
    except metadata.PackageNotFoundError:
        return ""


def _named(pairs: Iterable[tuple[str, ...]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _content(body: bytes) -> bytes:
    """A body out of its chunks; as it is, where it has none or they are broken."""
    parts: list[bytes] = []
    rest = body
    while rest:
        size, end, behind = rest.partition(b"\r\n")
        try:
            count = int(size, 16)
        except ValueError:
            return body
        if not end:
            return body
        if count == 0:
            break
        parts.append(behind[:count])
        rest = behind[count + 2 :]
    return b"".join(parts) if parts else body
