"""Made-up data for templates, drawn from the backend's seed: the same seed, session and turn make up the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from .sandbox import Function

Draw = Callable[[], int]
"""The next 64 bits of chance."""

FIRST = ("Ada", "Alan", "Barbara", "Claude", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "Jos\u00e9", "Katherine", "\u0141ukasz", "Margaret", "Niklaus", "S\u00f8ren", "Yuki")  # fmt: skip
LAST = ("Berger", "Chen", "Dubois", "Eriksen", "Fischer", "Garc\u00eda", "Haddad", "Ivanova", "Jensen", "Kowalski", "Lindgren", "M\u00fcller", "Nakamura", "Okafor", "Rossi", "Silva")  # fmt: skip
CITIES = ("Amsterdam", "Bogot\u00e1", "Cairo", "Dresden", "Helsinki", "Krak\u00f3w", "Lagos", "Lisbon", "Montreal", "Nairobi", "Osaka", "Reykjav\u00edk", "Seoul", "S\u00e3o Paulo", "Wellington", "Z\u00fcrich")  # fmt: skip
STREETS = ("Bridge Street", "Church Lane", "Harbour Road", "High Street", "Linden Avenue", "Mill Lane", "Park Road", "Station Road")  # fmt: skip
COMPANIES = ("Acorn", "Bluebird", "Copperfield", "Driftwood", "Evergreen", "Foxglove", "Granite", "Hollow Oak")
WORDS = ("amber", "bright", "cloud", "distant", "early", "forest", "gentle", "harbour", "island", "journey", "kettle", "lantern", "meadow", "north", "open", "paper", "quiet", "river", "silver", "tower", "under", "valley", "window", "yellow")  # fmt: skip
MOST = 1_000
"""The most words or digits that one call makes up."""


def fakes(draw: Draw) -> dict[str, Function]:
    """The members of ``fake`` in templates."""

    def choice(items: Sequence[Any]) -> Any:
        if not items:
            raise ValueError("fake.choice has nothing to choose from")
        return items[draw() % len(items)]

    def integer(low: int = 0, high: int = 100) -> int:
        if low > high:
            raise ValueError(f"fake.integer({low}, {high}): the first is larger than the second")
        return low + draw() % (high - low + 1)

    def words(count: int = 3) -> str:
        return " ".join(choice(WORDS) for _ in range(_few(count)))

    def sentence(count: int = 8) -> str:
        return words(max(1, count)).capitalize() + "."

    def email() -> str:
        return f"{choice(WORDS)}.{choice(WORDS)}{integer(1, 99)}@example.com"

    does: dict[str, Callable[..., Any]] = {
        "name": lambda: f"{choice(FIRST)} {choice(LAST)}",
        "first_name": lambda: choice(FIRST),
        "last_name": lambda: choice(LAST),
        "email": email,
        "city": lambda: choice(CITIES),
        "street": lambda: f"{integer(1, 120)} {choice(STREETS)}",
        "company": lambda: f"{choice(COMPANIES)} {choice(('Ltd', 'GmbH', 'Inc', 'AB'))}",
        "word": lambda: choice(WORDS),
        "words": words,
        "sentence": sentence,
        "integer": integer,
        "digits": lambda count=6: "".join(str(draw() % 10) for _ in range(_few(count))),
        "uuid": lambda: str(UUID(int=(draw() << 64) | draw(), version=4)),
        "choice": choice,
    }
    return {name: Function(f"fake.{name}", function) for name, function in does.items()}


def _few(count: int) -> int:
    if not 0 <= count <= MOST:
        raise ValueError(f"expected a count from 0 to {MOST}, got {count}")
    return count


NAMES = frozenset(fakes(lambda: 0))
