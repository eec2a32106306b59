"""Stages of pull requests in wall-clock and in working time, batch size, and work in progress."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

from connectors.records import PullRequest
from tests.pipelines.reference.changes import Change
from tests.pipelines.reference.deployments import Chain
from tests.pipelines.reference.given import Calendar, Given
from tests.pipelines.reference.periods import GRAINS, day_begins, first_day, next_first_day
from tests.pipelines.reference.world import Seen, Subject, World

INSTANT = timedelta(microseconds=1)

Stage = tuple[str | None, tuple[datetime, datetime] | None]
"""Why it is left out, else when it began and ended."""
Zoned = tuple[str, Calendar]
"""A timezone and a calendar of days in it."""


def stages(world: World, change: Change) -> dict[str, Stage]:
    """Coding, pickup and review of a pull request that is a change."""
    pull = change.pull_request
    assert pull
    assert pull.merged_at
    if pull.is_bot and not world.given.include_bots:
        return dict.fromkeys(("coding", "pickup", "review"), ("bot", None))
    ready = pull.ready_at or pull.opened_at
    first = change.first_authored_at
    coding: Stage = (None, (first, ready)) if first else ("undated", None)
    if first and first > ready:
        coding = ("commit_after_ready", None)
    review = pull.first_review_at
    if review is None or review > pull.merged_at:
        return {"coding": coding, "pickup": ("unreviewed", None), "review": ("unreviewed", None)}
    if ready > pull.merged_at:
        return {"coding": coding, "pickup": ("negative", None), "review": ("negative", None)}
    picked_up = max(review, ready)
    return {
        "coding": coding,
        "pickup": (None, (ready, picked_up)),
        "review": (None, (picked_up, pull.merged_at)),
    }


def stage(world: World, name: str, *, working: bool) -> Iterator[Seen]:
    """Every pull request's coding, pickup or review, by the day it was merged."""
    for change in world.changes:
        if change.pull_request is None:
            continue
        merged = change.pull_request.merged_at
        assert merged
        left_out, span = stages(world, change)[name]
        value = seconds(world, change, span, working=working) if span else None
        for chain in world.change_chains(change):
            for subject in world.subjects(chain, merged):
                yield Seen(subject, world.day(merged), change.id, value, left_out=left_out)


def release(world: World, *, working: bool) -> Iterator[Seen]:
    """From merge to deployment, by the day it was deployed."""
    for shipment in world.shipments:
        change, at = shipment.change, shipment.shipped_at
        if change.pull_request is None:
            continue
        merged = change.pull_request.merged_at
        assert merged
        left_out = None
        if shipment.left_out == "baseline":
            left_out = "baseline"
        elif change.is_bot and not world.given.include_bots:
            left_out = "bot"
        elif at < merged:
            left_out = "deployed_before_merge"
        value = None if left_out else seconds(world, change, (merged, at), working=working)
        for subject in world.subjects(shipment.chain, at):
            yield Seen(
                subject, world.day(at), change.id, value, cluster=shipment.rollout.id, left_out=left_out
            )


def seconds(world: World, change: Change, span: tuple[datetime, datetime], *, working: bool) -> float:
    if not working:
        return (span[1] - span[0]).total_seconds()
    zone, calendar = calendar_of(world, change)
    begin, end = span
    day = begin.astimezone(ZoneInfo(zone)).date()
    total = 0.0
    while day_begins(day, zone) < end:
        if is_working(day, calendar):
            overlap = min(end, day_begins(day + timedelta(days=1), zone)) - max(begin, day_begins(day, zone))
            total += max(overlap.total_seconds(), 0)
        day += timedelta(days=1)
    return total


@cache
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def is_working(day: date, calendar: Calendar) -> bool:
    if day.weekday() in calendar.weekend:
        return False
    return calendar.country is None or day not in _holidays(calendar.country, calendar.subdivision, day.year)


def calendar_of(world: World, change: Change) -> Zoned:
    """The one that all owners of its services at the merge share, else the workspace's."""
    assert change.pull_request
    merged = change.pull_request.merged_at
    assert merged
    services = {s for chain in world.change_chains(change) for s in world.services(chain)}
    found = {
        team_calendar(world.given, team) for service in services for team in world.owners(service, merged)
    }
    return found.pop() if len(found) == 1 else (world.given.timezone, world.given.calendar)


def team_calendar(given: Given, name: str) -> Zoned:
    """A team's own calendar and zone, each else the workspace's."""
    team = next(team for team in given.teams if team.name == name)
    calendar = team.calendar or given.calendar
    return team.timezone or given.timezone, calendar._replace(weekend=tuple(sorted(set(calendar.weekend))))


def batch_size(world: World) -> Iterator[Seen]:
    """Changes of people that each deployment shipped."""
    shipped: dict[tuple[Chain, str], int] = defaultdict(int)
    for shipment in world.shipments:
        if shipment.left_out in (None, "undated", "negative"):
            shipped[shipment.chain, shipment.rollout.id] += 1
    sizes: dict[tuple[Subject, str, date], list[tuple[bool, int]]] = defaultdict(list)
    for chain, line in world.lines.items():
        for n, rollout in enumerate(line):
            for subject in world.subjects(chain, rollout.finished_at):
                place = subject, rollout.id, world.day(rollout.finished_at)
                sizes[place].append((n == 0, shipped[chain, rollout.id]))
    for (subject, id_, day), found in sizes.items():
        size = sum(count for _, count in found)
        left_out = "baseline" if all(is_first for is_first, _ in found) else "empty" if size == 0 else None
        yield Seen(subject, day, id_, None if left_out else size, left_out=left_out)


def open_at_ends(world: World) -> Iterator[tuple[Subject, str, date, PullRequest, float | None]]:
    """(subject, grain, first day, pull request, age) of what is open at the end of each period.

    The age is None for one that is not open then, which says that the chain had pull requests by then.
    """
    for chain, every in _by_chain(world).items():
        covered = world.repositories[chain.repository].covered_until
        pulls = [pull for pull in every if pull.opened_at < covered]
        if not pulls:
            continue
        last = world.day(covered)
        first = min(world.day(pull.opened_at) for pull in pulls)
        for grain in GRAINS:
            start = first_day(grain, first)
            while start <= last:
                end = next_first_day(grain, start)
                as_of = min(day_begins(end, world.given.timezone), covered)
                if world.day(as_of - INSTANT) >= first:
                    for subject in world.subjects(chain, as_of - INSTANT):
                        for pull in pulls:
                            ended = pull.closed_at or pull.merged_at
                            is_open = pull.opened_at < as_of and (ended is None or ended >= as_of)
                            age = (as_of - pull.opened_at).total_seconds() if is_open else None
                            yield subject, grain, start, pull, age
                start = end


def _by_chain(world: World) -> dict[Chain, list[PullRequest]]:
    """Pull requests by the chains they count in: as changes do, else by the folders of their commits."""
    of_change = {(c.repository, c.pull_request.number): c for c in world.changes if c.pull_request}
    found: dict[Chain, list[PullRequest]] = defaultdict(list)
    for source, pull in world.given.all(PullRequest):
        key = source, pull.repository
        if key not in world.repositories:
            continue
        change = of_change.get((key, pull.number))
        for chain in world.lines:
            if chain.repository != key:
                continue
            shas = [*pull.commit_shas, pull.head_sha]
            if change:
                counts = chain in world.change_chains(change)
            else:
                counts = chain.service is None or any(world.touches(chain, sha) for sha in shas)
            if counts:
                found[chain].append(pull)
    return found
