from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from chatproof.reports.badge import COLORS, render

Json = dict[str, Any]
Make = Callable[..., Json]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("outcomes", "changes", "said", "tone"),
    [
        (["pass", "pass", "untestable"], {}, "conformant, 2 of 3", "good"),
        (["pass", "fail"], {}, "1 of 2 MUSTs broken", "bad"),
        (["pass"], {"verdict": "incomplete", "reason": "x"}, "incomplete, 1 of 1", "caution"),
    ],
)
def test_a_badge_says_the_verdict(
    outcomes: list[str], changes: Json, said: str, tone: Any, run: Make, row: Make
) -> None:
    root = ET.fromstring(render(run([row(outcome) for outcome in outcomes], **changes)))
    assert root.get("aria-label") == root.findtext(f"{SVG}title") == f"chatproof: {said}"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["chatproof", said]
    assert [rect.get("fill") for rect in root.iter(f"{SVG}rect")][-1] == COLORS[tone]


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", COLORS.values())
def test_white_can_be_read_on_every_color(color: str) -> None:
    assert 1.05 / (luminance(color) + 0.05) >= 4.5
