"""What is worked out when first asked for, and kept: ``functools.cached_property`` without its lock, which costs more than most of what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """A method as an attribute; for objects of one thread."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, of: None, owner: type) -> Self: ...
    @overload
    def __get__(self, of: object, owner: type) -> T: ...
    def __get__(self, of: object | None, owner: type) -> Self | T:
        if of is None:
            return self
        value = of.__dict__[self._name] = self._make(of)
        return value


def by_identity(make: Callable[[Any], T]) -> Callable[[Any], T]:
    """``make`` once for each noun it is given: for tables out of nouns that hold mappings, which have no hash.

    As many nouns as a program could serve are remembered.
    """
    made: dict[int, tuple[Any, T]] = {}

    def known(noun: Any) -> T:
        found = made.get(id(noun))
        if found is None:
            if len(made) >= REMEMBERED:
                made.clear()
            found = made[id(noun)] = (noun, make(noun))
        return found[1]

    return known


REMEMBERED = 1024
