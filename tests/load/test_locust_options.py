"""Our options in Locust's hands: its command line gives what it parsed, its page gives texts, and both may be wrong."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from chatproof.load.locust_options import OPTIONS, PREFIX, planned, read, too_much

GIVEN = {"dialect": "guide", "api-key": "k", "agent": "a"}


def options(run_time: float | None = 60.0, **ours: Any) -> Namespace:
    values = {name: how.get("default", False if how.get("action") == "store_true" else None) for name, how in OPTIONS}
    told = {name.replace("_", "-"): value for name, value in ours.items()}
    named = {PREFIX + name.replace("-", "_"): value for name, value in {**values, **GIVEN, **told}.items()}
    return Namespace(run_time=run_time, num_users=3, stop_timeout=0.0, **named)


def test_what_the_page_hands_back_is_read_as_what_it_means() -> None:
    left: dict[str, Any] = {
        "rate": "",
        "schedule": " ",
        "objective": "",
        "seed": "",
        "think": "",
        "json_replies": "false",
    }
    assert read(options(**left)) == read(options())
    told = read(options(rate=" 2.5", seed="7", think="0", objective="ok > 99%, ttft p95 < 1s", json_replies="true"))
    assert (told["rate"], told["seed"], told["think"], told["json-replies"]) == (2.5, 7, 0.0, True)
    assert told["objective"] == ["ok > 99%", "ttft p95 < 1s"]
    assert read(options(objective=["ok > 99%", "mixups = 0"]))["objective"] == ["ok > 99%", "mixups = 0"]


@pytest.mark.parametrize(
    ("ours", "host", "said"),
    [
        ({"rate": "fast"}, "http://127.0.0.1:1", "--chatproof-rate: expected a number, got 'fast'"),
        ({"seed": "1.5"}, "http://127.0.0.1:1", "--chatproof-seed: expected a whole number"),
        ({"think": "-1"}, "http://127.0.0.1:1", "--chatproof-think: expected a number, 0 or more"),
        ({"think": "nan"}, "http://127.0.0.1:1", "--chatproof-think: expected a number, 0 or more"),
        ({"rate": 0.0}, "http://127.0.0.1:1", "--chatproof-rate: expected a number above 0"),
        ({"dialect": "gide"}, "http://127.0.0.1:1", "did you mean 'guide'"),
        ({"agent": ""}, "http://127.0.0.1:1", "--chatproof-agent is needed"),
        ({"api_key": None}, "http://127.0.0.1:1", "--chatproof-api-key is needed"),
        ({}, None, "--host is needed"),
        ({}, "127.0.0.1:1", "expected http(s)://host"),
        ({"schedule": "rmp:1-5"}, "http://127.0.0.1:1", "--chatproof-schedule: expected KIND:RATE, got 'rmp:1-5' (did you mean 'ramp'"),
        ({"schedule": "ramp:1-5", "rate": 3.0}, "http://127.0.0.1:1", "give one of them"),
        ({"rate": 11.0}, "http://example.com", "11 turns a second is above 10: say --chatproof-own-target"),
        ({"schedule": "spike:1,50"}, "http://example.com", "50 turns a second is above 10"),
        ({"objective": "tftt p95 < 1s"}, "http://127.0.0.1:1", "--chatproof-objective: no metric 'tftt'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_the_name_that_the_option_has_here(
    ours: dict[str, Any], host: str | None, said: str
) -> None:
    with pytest.raises(ValueError, match=r"\S") as refused:
        planned(options(**ours), host)
    assert said in str(refused.value)
    assert " --objective" not in str(refused.value)


def test_what_could_be_read_on_the_page_is_kept_off_it() -> None:
    """Locust writes each option's value into the page that it serves, a masked one as well."""
    hidden = {name for name, how in OPTIONS if how.get("include_in_web_ui") is False}
    assert hidden == {"api-key", "json"}


def test_a_host_that_is_not_this_machine_is_spared_unless_it_is_ones_own() -> None:
    many = options()
    many.num_users = 11
    assert "11 users is above 10" in too_much(many, "http://example.com")
    assert too_much(options(), "http://example.com") == too_much(many, "http://127.0.0.1:1") == ""
    own = options(own_target=True)
    own.num_users = 11
    assert too_much(own, "http://example.com") == ""
