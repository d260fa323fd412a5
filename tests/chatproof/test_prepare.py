"""``plan``, ``doctor``, ``init`` and ``--baseline``: what stands around a verification."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatproof.cli import cli
from chatproof.conformance.baseline import load_baseline
from chatproof.conformance.profile import load_profile
from chatproof.simulator.app import Running, running
from chatproof.spec.files import BadFile

FLAGS = ("--dialect", "guide", "--api-key", "key-valid", "--agent", "default")


def chatproof(*words: str) -> Result:
    return CliRunner(env={"CHATPROOF_API_KEY": None}).invoke(cli, [*words])


@pytest.fixture(scope="module")
def good() -> Iterator[Running]:
    with running(["guide", "slug"]) as server:
        yield server


@pytest.fixture(scope="module")
def broken() -> Iterator[Running]:
    with running(["guide", "slug"], fault="no-blank-line") as server:
        yield server


def test_plan_counts_what_a_run_will_send_at_most(good: Running, tmp_path: Path) -> None:
    words = (good.url("guide"), *FLAGS)
    planned = chatproof("plan", *words)
    assert planned.exit_code == 0
    most = int(re.findall(r"at most ([0-9]+) requests", planned.output)[0])
    chatproof("verify", *words, "--json", str(tmp_path / "r.json"))
    sent = json.loads((tmp_path / "r.json").read_text())["requests"]
    assert sent == most


def test_plan_says_how_long_the_advertised_limit_makes_it(good: Running) -> None:
    words = (good.url("guide"), "--dialect", "guide", "--api-key", "YOUR_API_KEY", "--agent", "default")
    assert "within 120 requests a minute" in chatproof("plan", *words, "--select", "reply/*", "--level", "must").output
    assert "min of waiting at 5 requests a minute" in chatproof("plan", *words, "--pace", "5").output


def test_plan_and_doctor_count_the_waiting(good: Running, tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text(
        f"base_url: {good.url('guide')}\ndialect: guide\nagents: {{default: default}}\nsession_expiry: 20s\n"
        "credentials: {valid: key-valid, brief: key-brief}\nlimits: {brief_requests: 5, brief_window: 2s}\n"
    )
    waiting = "about 48 s of waiting until windows end and sessions expire"
    for command in ("plan", "doctor"):
        assert waiting in chatproof(command, "--profile", str(path)).output
    assert "waiting until" not in chatproof("plan", good.url("guide"), *FLAGS).output


def test_plan_and_doctor_say_what_is_wrong_with_a_target(good: Running) -> None:
    words = (good.url("guide"), "--dialect", "guide", "--api-key", "nobody", "--agent", "default")
    for command in ("plan", "doctor"):
        result = chatproof(command, *words)
        assert result.exit_code == 3
        assert "the key was refused (status 401)" in result.output


def test_doctor_examines_and_names_what_would_stay_open(good: Running) -> None:
    result = chatproof("doctor", good.url("slug"), "--dialect", "slug", "--api-key", "key-valid", "--agent", "default")
    assert result.exit_code == 0
    assert "✓  POST /v1/api/chat/{agent} answers 200, JSON" in result.output
    assert "✓  a path that is nowhere answers 404" in result.output
    assert "needs credentials.limited and limits.requests_per_minute in the profile" in result.output
    assert "✕" not in result.output


def test_doctor_finds_an_operation_that_fails() -> None:
    with running(["guide"], fault="unknown-agent-400") as server:
        result = chatproof(
            "doctor", server.url("guide"), "--dialect", "guide", "--api-key", "key-valid", "--agent", "unavailable"
        )
    assert result.exit_code == 3
    assert "✕  POST /chat answers 503" in result.output


def test_init_writes_a_profile_that_is_valid_and_holds_no_key(good: Running, tmp_path: Path) -> None:
    out = tmp_path / "profile.yaml"
    result = chatproof("init", good.url("guide"), *FLAGS, "--out", str(out))
    assert result.exit_code == 0
    assert "an ordinary request is answered" in result.output
    assert "key-valid" not in out.read_text()
    profile = load_profile(out, {"CHAT_API_KEY": "k"})
    assert (profile["dialect"], profile["credentials"], profile["agents"]) == (
        "guide",
        {"valid": "k"},
        {"default": "default"},
    )
    uncommented = re.sub(r"(?m)^( *)# (?=[a-z_]+:)", r"\1", out.read_text()).replace("…", "x")
    out.write_text(uncommented)
    names = re.findall(r"\$\{(\w+)\}", uncommented)
    assert load_profile(out, dict.fromkeys(names, "k"))["limits"]["concurrent"] == 2


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    out = tmp_path / "profile.yaml"
    out.write_text("mine")
    assert chatproof("init", "http://127.0.0.1:1", "--dialect", "guide", "--out", str(out)).exit_code == 2
    assert out.read_text() == "mine"


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("init", "http://127.0.0.1:1", "--dialect", "guide", "--out", LONG),
        ("init", "--script", "--out", LONG),
        ("serve", "--record", "http://127.0.0.1:1", "--out", LONG),
        ("verify", "--json", f"{LONG}.json", "--select", "sse/*"),
        ("verify", "--out", LONG, "--select", "sse/*"),
        ("verify", "--dialect", LONG),
        ("spec", LONG),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_name_that_no_file_can_have_is_one_line(words: tuple[str, ...]) -> None:
    done = chatproof(*words)
    assert done.exit_code == 2
    assert "File name too long" in done.output or f"no dialect '{LONG}'" in done.output


def entry(id: str, expires: str = "2999-01-01") -> str:
    return f'known:\n  - {{id: {id}, dialect: guide, reason: because of reasons, expires: "{expires}"}}\n'


BASELINES = {
    "known": ("sse/blank-line", "2999-01-01", 0, "1 known failures, 0 new, 0 stale"),
    "mended": ("sse/status", "2999-01-01", 1, "it is kept now (pass)"),
    "expired": ("sse/blank-line", "2001-01-01", 1, "it expired on 2001-01-01"),
    "unknown": ("sse/no-such", "2999-01-01", 1, "no such requirement"),
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_excuses_what_is_known_and_refuses_what_is_stale(name: str, broken: Running, tmp_path: Path) -> None:
    id, expires, code, words = BASELINES[name]
    path = tmp_path / "baseline.yaml"
    path.write_text(entry(id, expires))
    selected = ("--select", "sse/blank-line", "--select", "sse/status")
    result = chatproof("verify", broken.url("guide"), *FLAGS, *selected, "--baseline", str(path))
    assert (result.exit_code, words in result.output) == (code, True), result.output


def test_what_fails_and_is_not_listed_still_fails(broken: Running, tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text("known: []\n")
    result = chatproof("verify", broken.url("guide"), *FLAGS, "--select", "sse/*", "--baseline", str(path))
    assert result.exit_code == 1
    assert "new    guide: sse/blank-line" in result.output


def test_a_baseline_that_a_run_wrote_excuses_that_run(broken: Running, tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    words = ("verify", broken.url("guide"), *FLAGS, "--select", "sse/*")
    assert chatproof(*words, "--write-baseline", str(path)).exit_code == 1
    assert all(known.expires > date.today() for known in load_baseline(path))
    assert chatproof(*words, "--baseline", str(path)).exit_code == 0


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text(entry("sse/blank-line", "2027-02-30"))
    with pytest.raises(BadFile, match="expires"):
        load_baseline(path)
