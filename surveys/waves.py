"""A wave's life: scheduled → collecting → grace → ended → closing → closed → released.

The clock moves it as far as *ended*; closing it takes the steps that `Stage` remembers, so that a close
cut short anywhere is taken up where it stopped.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol

State = Literal[
    "scheduled", "collecting", "grace", "ended", "closing", "closed", "released", "purging", "purged"
]

MINIMUM_GROUP = 5
COMMENT_GROUP = 10

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Stage(StrEnum):
    """How far a wave has come in the store."""

    OPEN = "open"
    CLOSING = "closing"
    """Accepts nothing more; answers are still sealed."""
    WRITTEN = "written"
    """Answers are written and the sealed ones dropped; their traces and the keys are still there."""
    CLOSED = "closed"
    PURGING = "purging"
    """Invites and answers are deleted; their traces and the keys are still there."""
    PURGED = "purged"


class Times(Protocol):
    """When a wave accepts answers."""

    @property
    def opens_at(self) -> datetime: ...
    @property
    def closes_at(self) -> datetime: ...
    @property
    def grace(self) -> timedelta: ...


class Settings(Times, Protocol):
    """What a wave is opened with, as far as it can be wrong."""

    @property
    def id(self) -> str: ...
    @property
    def minimum_group(self) -> int: ...
    @property
    def comment_group(self) -> int: ...


def state(stage: Stage, times: Times, released_at: datetime | None, now: datetime) -> State:
    """Where a wave stands at `now`."""
    match stage:
        case Stage.OPEN:
            return _by_clock(times, now)
        case Stage.CLOSING | Stage.WRITTEN:
            return "closing"
        case Stage.CLOSED:
            return "released" if released_at else "closed"
        case Stage.PURGING:
            return "purging"
        case Stage.PURGED:
            return "purged"


def accepts(stage: Stage, times: Times, now: datetime) -> bool:
    """Whether answers are taken at `now`: from opening to the end of the grace, exclusive."""
    return stage is Stage.OPEN and times.opens_at <= now < times.closes_at + times.grace


def check(settings: Settings) -> None:
    """Raise `ValueError` for what no wave may be opened with."""
    if not _ID.fullmatch(settings.id):
        raise ValueError(
            f"{settings.id!r} can't name a wave: lower-case letters, digits and hyphens, at most 40"
        )
    if settings.minimum_group < MINIMUM_GROUP or settings.comment_group < COMMENT_GROUP:
        raise ValueError(
            f"groups under {MINIMUM_GROUP} are never shown and comments never under {COMMENT_GROUP}: "
            f"minimum_group {settings.minimum_group} and comment_group {settings.comment_group} are too low"
        )
    if settings.opens_at.tzinfo is None or settings.closes_at.tzinfo is None:
        raise ValueError("a wave's times need a time zone")
    if settings.closes_at <= settings.opens_at or settings.grace < timedelta():
        raise ValueError(
            f"a wave closes after it opens: from {settings.opens_at} to {settings.closes_at}, "
            f"grace {settings.grace}"
        )


def _by_clock(times: Times, now: datetime) -> State:
    if now < times.opens_at:
        return "scheduled"
    if now < times.closes_at:
        return "collecting"
    return "grace" if now < times.closes_at + times.grace else "ended"
