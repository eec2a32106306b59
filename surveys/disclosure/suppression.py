"""Dropping cells until what is left tells of no group under k."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from surveys.disclosure.records import Breach

T = TypeVar("T")


def thinned(
    kept: list[int], breach: Callable[[Sequence[int]], T | None], is_told: Callable[[Sequence[int], T], bool]
) -> list[int]:
    """What may be shown of `kept`, which is in order of what is kept first.

    For each breach the cell that completes it goes: the first with which `is_told` holds, since more cells
    never tell less. Raises Breach when it holds without any.
    """
    while (found := breach(kept)) is not None:
        without = bisect_left(range(len(kept)), True, key=lambda count: is_told(kept[:count], found))
        if not without:
            raise Breach("What was released earlier already tells of too few people.")
        kept = kept[: without - 1] + kept[without:]
    return kept
