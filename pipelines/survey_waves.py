"""Opening a wave of a survey, and what may be said of one while it is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from pipelines import survey_roster
from pipelines.home import Home
from pipelines.workspace import Workspace
from surveys import rotation
from surveys.instrument_files import load_folder, shipped
from surveys.instruments import Instrument
from surveys.rotation import Rules, Turn
from surveys.store import NewWave, Response, Store
from surveys.succession import check_succession

Band = Literal["up to 25 %", "25 – 50 %", "50 – 75 %", "75 % and more"]


class WaveError(Exception):
    """A wave that cannot be opened; `str()` says what to do, one line for each problem."""


class GroupResponse(NamedTuple):
    """How many of a team, or of a group of teams, have answered by now, as coarse as it is shown."""

    group: str
    parent: str
    """Empty where only the organisation is above."""
    depth: int
    """From 1."""
    invited: int
    band: Band
    """Wide enough that neither everybody's answering nor nobody's can be read off it."""


def instruments(workspace: Workspace) -> dict[str, Instrument]:
    """The questionnaires that come with Cairn and the workspace's own; raises `InstrumentError`."""
    folder = workspace.surveys.instruments
    return {**shipped(), **(load_folder(Path(folder)) if folder else {})}


def choose(home: Home, workspace: Workspace, store: Store, wave: str, now: datetime) -> Turn:
    """Whom a wave that opens now asks; raises `RosterError`, `WarehouseError` and `WaveError`."""
    settings, zone = workspace.surveys, ZoneInfo(workspace.timezone)
    asked = store.invitations()
    roster = survey_roster.read(home, workspace, max((each.opens_at for each in asked), default=None), now)
    # Oldest first: the last word on each is the latest.
    turn = rotation.choose(
        roster.people,
        Rules(timedelta(weeks=settings.rotation_weeks), settings.rotation_groups, settings.minimum_group),
        now.astimezone(zone).date(),
        wave,
        person_asked={each.person: each.opens_at.astimezone(zone).date() for each in asked},
        team_asked={each.team_path: each.opens_at.astimezone(zone).date() for each in asked},
        first=roster.first,
    )
    if not turn.invitees:
        raise WaveError(
            f"Nobody can be asked: all {len(roster.people)} people of the roster were within the last"
            f" {settings.rotation_weeks} weeks. Wait, or lower `surveys.rotation_weeks`."
        )
    return turn


def new_wave(
    workspace: Workspace,
    store: Store,
    wave: str,
    instrument_id: str,
    now: datetime,
    closes_at: datetime | None,
) -> NewWave:
    """A wave as it would be opened now; raises `WaveError` and `InstrumentError`."""
    settings, known = workspace.surveys, instruments(workspace)
    instrument = known.get(instrument_id)
    if instrument is None:
        raise WaveError(f"There is no instrument {instrument_id}. Known here: {', '.join(sorted(known))}.")
    before = {each.instrument: each for each in store.waves()}
    if refused := check_succession(map(Instrument.model_validate_json, before), instrument):
        raise WaveError("\n".join(refused))
    unknown = [language for language in settings.languages if language not in instrument.languages]
    if unknown:
        raise WaveError(
            f"{instrument_id} is not in {', '.join(unknown)}. Correct `surveys.languages`: it is in"
            f" {', '.join(instrument.languages)}."
        )
    return NewWave(
        id=wave,
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument=instrument.model_dump_json(),
        minimum_group=settings.minimum_group,
        comment_group=settings.comment_group,
        opens_at=now,
        closes_at=closes_at or now + settings.open_for,
        grace=settings.grace,
        settings={
            "organisation": workspace.organisation,
            "timezone": workspace.timezone,
            "languages": [*(settings.languages or instrument.languages)],
        },
    )


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The end of a local day, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def groups(responses: Iterable[Response], minimum_group: int) -> list[GroupResponse]:
    """Response by team and group of teams, of those of whom enough were invited; by tree."""
    invited: dict[tuple[str, ...], int] = defaultdict(int)
    answered: dict[tuple[str, ...], int] = defaultdict(int)
    for response in responses:
        path = response.cohort.team_path
        for depth in range(1, len(path) + 1):
            invited[path[:depth]] += response.invited
            answered[path[:depth]] += response.answered
    return [
        GroupResponse(
            path[-1], path[-2] if len(path) > 1 else "", len(path), count, band(answered[path], count)
        )
        for path, count in sorted(invited.items())
        if count >= minimum_group
    ]


def band(answered: int, invited: int) -> Band:
    """In which quarter the share of those who answered is; `invited` is 5 or more."""
    share = answered / invited
    if share <= 0.25:
        return "up to 25 %"
    if share >= 0.75:
        return "75 % and more"
    return "25 – 50 %" if share < 0.5 else "50 – 75 %"
