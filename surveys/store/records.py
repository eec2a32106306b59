"""What the survey store takes and gives. Times are UTC, with their zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import JsonValue

from surveys.cohorts import Cohort
from surveys.waves import State

ActionStatus = Literal["planned", "started", "done", "declined"]


@dataclass(frozen=True)
class NewWave:
    """A wave to be opened; nothing of it changes afterwards."""

    id: str
    instrument_id: str
    instrument_version: int
    instrument: str
    """The whole questionnaire as JSON, as it is asked."""
    minimum_group: int
    comment_group: int
    opens_at: datetime
    closes_at: datetime
    grace: timedelta
    """How long after `closes_at` a form already begun may still be sent."""
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    """Whatever else is pinned for the wave."""


@dataclass(frozen=True)
class Wave(NewWave):
    """A wave in the store, and where it stands."""

    state: State = "scheduled"
    closed_at: datetime | None = None
    released_at: datetime | None = None
    invited: int = 0
    answered: int = 0


class Invitee(NamedTuple):
    """Someone to be asked; `person` is a keyed hash."""

    person: str
    team_path: tuple[str, ...]
    tier: str | None = None
    role: str | None = None


class Invited(NamedTuple):
    """Someone who was asked, as frozen at opening, and whether they answered: never when, never what."""

    person: str
    team_path: tuple[str, ...]
    tier: str | None
    role: str | None
    is_used: bool


class Link(NamedTuple):
    """What is sent to a person: `token` ends the form's address."""

    person: str
    token: str
    is_used: bool


class Asked(NamedTuple):
    """That a person was asked in the wave that opened then."""

    person: str
    team_path: tuple[str, ...]
    opens_at: datetime


class Response(NamedTuple):
    """How many of a cohort were asked and how many answered; exact, so not for showing as it is."""

    cohort: Cohort
    invited: int
    answered: int


@dataclass(frozen=True)
class Invitation:
    """What the form knows of a valid token: its wave, and nothing of the person."""

    wave: str
    instrument: str
    minimum_group: int
    comment_group: int
    closes_at: datetime
    accepts_until: datetime
    settings: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Answer:
    """What one respondent answered, by item; the order of answers means nothing."""

    cohort: Cohort
    values: dict[str, JsonValue]


@dataclass(frozen=True)
class NewAction:
    """What was done about what a wave said."""

    wave: str
    theme: str
    said: str
    did: str
    status: ActionStatus
    decided_on: date
    url: str | None = None


@dataclass(frozen=True)
class Action(NewAction):
    """An action in the store."""

    id: int = 0
