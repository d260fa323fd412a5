"""How the tests of the library ask a backend, as any client would."""

from __future__ import annotations

from typing import Any

import httpx

from chatproof import Sim


def chat(sim: Sim, agent: str = "echo", message: str = "Hi", key: str | None = None, **more: Any) -> httpx.Response:
    body = {"agent_id": agent, "message": message, "stream": False, **more}
    headers = {"Authorization": f"Bearer {key or sim.key()}"}
    return httpx.post(f"{sim.url('guide')}/chat", json=body, headers=headers, verify=False)


def text(sim: Sim, agent: str, message: str = "Hi", **more: Any) -> str:
    return str(chat(sim, agent, message, **more).json()["response"])
