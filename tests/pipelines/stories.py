"""Stories of one repository each, and what each of them shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.pipelines.incidents import Faults, Shop

STORIES: dict[str, Story] = {}


class Story(NamedTuple):
    """What happened to one repository, and what it shows."""

    happens: Callable[[Shop], None]
    faults: Faults
    unattributed: set[str]
    hours: dict[str, float | None] | None
    rework: set[str] | None


def story(
    faults: Faults,
    unattributed: set[str] | None = None,
    hours: dict[str, float | None] | None = None,
    rework: set[str] | None = None,
) -> Callable[[Callable[[Shop], None]], Callable[[Shop], None]]:
    def kept(happens: Callable[[Shop], None]) -> Callable[[Shop], None]:
        STORIES[happens.__name__] = Story(happens, faults, unattributed or set(), hours, rework)
        return happens

    return kept
