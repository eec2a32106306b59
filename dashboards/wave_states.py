"""Waves as they stand in the survey store, as much as may be shown of one that is open: never a person.

Until a wave is released, how many answered is said in quarters alone: a number that moves would tell when
somebody answers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from dashboards import words
from pipelines import survey_waves, surveys
from pipelines.home import Home
from pipelines.survey_waves import GroupResponse
from pipelines.workspace import WorkspaceError, find, load
from surveys.errors import StoreError
from surveys.store import Store, Wave
from surveys.waves import State

FIRST = "cairn survey open 2026-autumn"
"""What begins a first wave."""

STATES: dict[State, str] = {
    "scheduled": "Opens soon", "collecting": "Open", "grace": "In its grace", "ended": "Over, to be closed",
    "closing": "Closing", "closed": "Closed, not released", "released": "Released", "purging": "Being purged",
    "purged": "Purged",
}  # fmt: skip
BADGES: dict[State, str] = {
    state: f":{'green' if state in {'collecting', 'grace'} else 'orange'}-badge[{said}]"
    for state, said in STATES.items()
}


class Step(NamedTuple):
    """What is to be done next, and what to type for it."""

    said: str
    command: str | None = None


@dataclass(frozen=True)
class Standing:
    """A wave; times in the workspace's zone."""

    id: str
    instrument: str
    state: State
    opens_at: datetime
    closes_at: datetime
    accepts_until: datetime
    invited: int
    answered: str
    minimum_group: int
    comment_group: int
    groups: Sequence[GroupResponse] = ()
    """Of a wave that takes answers or waits to be closed: teams of whom enough were invited."""

    def is_settled(self, published: Collection[str]) -> bool:
        """Nothing is left to do; `published` are the waves that are on the pages."""
        return self.state == "purged" or (self.state == "released" and self.id in published)

    @property
    def told(self) -> str:
        """How far it is, after `It`."""
        return {
            "scheduled": f"opens on {moment(self.opens_at)}",
            "collecting": f"takes answers until {moment(self.closes_at)}",
            "grace": f"is over; forms begun before may be sent until {moment(self.accepts_until)}",
            "ended": f"took its last answers on {moment(self.accepts_until)}, which are still sealed",
            "closing": "takes no more answers, and was not closed to the end",
            "closed": "was closed without releasing anything",
            "released": "is released, and not on the pages yet",
            "purging": "was not purged to the end",
            "purged": "is purged: what was released stays",
        }[self.state]

    @property
    def figures(self) -> Mapping[str, str]:
        """What stands in its cards."""
        return {
            "Invited": f"{self.invited:,}",
            "Answered": self.answered,
            "Opened": words.day(self.opens_at),
            "Closes": words.day(self.closes_at),
        }

    @property
    def promise(self) -> str:
        """What those it asked were told of it, and is pinned."""
        return (
            f"Groups of fewer than {self.minimum_group}, and comments of fewer than {self.comment_group}"
            f" people, are withheld. Answers are sealed until {moment(self.accepts_until)}; closing opens,"
            " shuffles and stores them at once and destroys the key. This protects what is stored, not"
            " against whoever controls the running program."
        )

    @property
    def next_step(self) -> Step:
        """What whoever runs Cairn does next."""
        close = f"cairn survey close {self.id}"
        match self.state:
            case "scheduled":
                return Step("Once it is open, send everybody their link:", f"cairn survey invite {self.id}")
            case "collecting":
                return Step(
                    "Send everybody their link with `invite`; remind those who have not answered:",
                    f"cairn survey invite {self.id}\ncairn survey remind {self.id}",
                )
            case "grace":
                return Step(f"After {moment(self.accepts_until)}, close it:", close)
            case "ended":
                return Step("Open the sealed answers, audit and release them, destroy the keys:", close)
            case "closing":
                return Step("Closing was cut short. Again goes on where it stopped:", close)
            case "purging":
                return Step("Purging was cut short. Again:", f"cairn survey purge {self.id} --yes")
            case "released":
                return Step("Publish the results to the pages:", "cairn sync")
            case _:
                return Step("Nothing is left to do.")


class Standings(NamedTuple):
    """All waves, the last to open first; with what is wrong where the store cannot be read."""

    waves: Sequence[Standing] = ()
    problem: str | None = None


def read() -> Standings:
    """The waves of the workspace's store, as they stand now; none where there is no store yet."""
    try:
        path = find(None, os.environ)
        home = Home.from_env()
        if path is None or not surveys.is_there(home, workspace := load(path, os.environ)):
            return Standings()
        zone = ZoneInfo(workspace.timezone)
        with surveys.open_store(home, workspace) as store:
            return Standings([_standing(store, wave, zone) for wave in store.waves()])
    except (StoreError, WorkspaceError, OSError) as error:
        # Its words may hold an address of the database: its kind is enough, `cairn doctor` says more.
        return Standings(problem=type(error).__name__)


def table(waves: Sequence[Standing]) -> pd.DataFrame:
    """The waves as rows of a list."""
    return pd.DataFrame(
        {
            "wave": wave.id,
            "questionnaire": wave.instrument,
            "state": STATES[wave.state],
            "opened": wave.opens_at.date(),
            "closed": wave.closes_at.date(),
            "invited": wave.invited,
            "answered": wave.answered,
            "smallest_group": wave.minimum_group,
            "smallest_comment_group": wave.comment_group,
        }
        for wave in waves
    )


def _standing(store: Store, wave: Wave, zone: ZoneInfo) -> Standing:
    standing = Standing(
        wave.id,
        wave.instrument_id,
        wave.state,
        wave.opens_at.astimezone(zone),
        wave.closes_at.astimezone(zone),
        (wave.closes_at + wave.grace).astimezone(zone),
        wave.invited,
        _answered(wave),
        wave.minimum_group,
        wave.comment_group,
    )
    if wave.state not in {"collecting", "grace", "ended"}:
        return standing
    return replace(standing, groups=survey_waves.groups(store.response(wave.id), wave.minimum_group))


def _answered(wave: Wave) -> str:
    """Of a released wave the number that is published; before, the quarter that it lies in."""
    if wave.released_at:
        return f"{wave.answered:,}"
    if wave.state == "scheduled" or wave.invited < wave.minimum_group:
        return "–"
    return survey_waves.band(wave.answered, wave.invited)


def moment(at: datetime) -> str:
    """`12 May 2025, 18:00`."""
    return f"{words.day(at)}, {at:%H:%M}"
