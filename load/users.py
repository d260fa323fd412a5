"""The Locust side of a run: one user class, which lets the engine of its process drive it. Importing this imports Locust."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import gevent
from locust import User, task
from locust.exception import StopUser

if TYPE_CHECKING:
    from .engine import Engine


ATTACHED_S = 0.05


class ChatUser(User):
    """One open dispatcher, or one conversation at a time, as the plan of the run says."""

    @task
    def drive(self) -> None:
        """Until the run ends; then this user is done. A worker that comes to a run under way gets users before it can hear of its plan."""
        while not hasattr(self.environment, "chatproof"):
            gevent.sleep(ATTACHED_S)
        engine: Engine | None = self.environment.chatproof
        if engine is None:
            raise StopUser
        self.environment.chatproof_users += 1
        engine.drive(self.environment.chatproof_users - 1)
        raise StopUser


def quiet() -> None:
    """Locust's own log says nothing that a run's report does not say better."""
    for name in ("locust", "locust.runners", "locust.main"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
