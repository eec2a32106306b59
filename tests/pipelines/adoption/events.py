"""What happened on a day, one by one, for the metrics that count such things."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tests.pipelines.adoption.given import Evidence, at
from tests.pipelines.adoption.world import Offer, World


class Event(NamedTuple):
    offer: Offer
    day: date
    service: str | None = None
    team: str | None = None
    hit: bool = False
    value: float | None = None
    left_out: str | None = None


def retention(world: World) -> Iterator[Event]:
    for offer in [*world.capabilities, None]:
        for service in world.services:
            for spell in world.spells(offer, service)[:1]:
                life = world.offered(offer, service)
                if life is None or spell.begins < life[0]:
                    continue
                then = spell.begins + timedelta(days=90)
                left_out = None
                if spell.is_start_unknown:
                    left_out = "unknown_start"
                elif not (world.counts(offer, service, then) and world.is_active(service, then)):
                    left_out = "dormant"
                yield Event(
                    offer, spell.begins, service, hit=world.using(offer, service, then), left_out=left_out
                )


def turns(world: World) -> Iterator[Event]:
    """Who comes (hit), and who goes."""
    for offer in [*world.capabilities, None]:
        retired_on = world.capabilities[offer].retired_on if offer is not None else None
        for service in world.services:
            for spell in world.spells(offer, service):
                for day, comes in ((spell.begins, True), (spell.ends, False)):
                    if day > world.given.last_day or (not comes and day == retired_on):
                        continue
                    if world.counts(offer, service, day) and world.is_active(service, day):
                        left_out = "unknown_start" if comes and spell.is_start_unknown else None
                        yield Event(offer, day, service, hit=comes, left_out=left_out)


def depth(world: World) -> Iterator[Event]:
    pipelines = [c.name for c in world.given.capabilities if c.kind == "pipeline"]
    for service, day in world.given.deployments:
        through = set()
        for name in pipelines:
            if service in world.capabilities[name].eligible:
                for e in world.value(name, service):
                    if e.day <= day <= world.last_value_day(e) and world.is_offered(name, service, day):
                        through.add(name)
        for name in pipelines:
            if world.is_offered(name, service, day):
                yield Event(name, day, service, hit=name in through)
        lives = [world.capabilities[n] for n in pipelines if service in world.capabilities[n].eligible]
        begins = min((c.introduced_on or date.min for c in lives), default=date.max)
        ends = max((c.retired_on or date.max for c in lives), default=date.min)
        if begins <= day < ends:
            yield Event(None, day, service, hit=bool(through))


def new_software(world: World) -> Iterator[Event]:
    golden = [c.name for c in world.given.capabilities if c.creates]
    for service, days in world.commit_days.items():
        if not days or not world.exists(service, min(days)):
            continue
        day = min(days)
        judged = {}
        for name in golden:
            if world.is_offered(name, service, day):
                made = [
                    e
                    for e in world.given.evidence
                    if e.capability == name and e.service == service and e.rule == "template"
                    and (e.is_state or e.result == "success")
                ]  # fmt: skip
                hit = any(not e.is_start_unknown and abs((e.day - day).days) <= 30 for e in made)
                judged[name] = (hit, any(e.is_start_unknown for e in made))
        for name, (hit, is_unknown) in judged.items():
            yield Event(
                name, day, service, hit=hit, left_out="unknown_start" if is_unknown and not hit else None
            )
        if judged:
            hit = any(h for h, _ in judged.values())
            is_unknown = any(u for _, u in judged.values())
            yield Event(
                None, day, service, hit=hit, left_out="unknown_start" if is_unknown and not hit else None
            )


def _runs(world: World) -> Iterator[tuple[Offer, Evidence]]:
    for e in world.given.evidence:
        if e.rule == "template" and not e.is_state and e.capability in world.capabilities:
            yield e.capability, e
            yield None, e


def template_success(world: World) -> Iterator[Event]:
    for offer, e in _runs(world):
        left_out = None
        if e.result not in ("success", "failed", "cancelled"):
            left_out = e.result if e.result in ("running", "skipped") else "unknown"
        yield Event(offer, e.day, e.service, e.team, hit=e.result == "success", left_out=left_out)


def template_time(world: World) -> Iterator[Event]:
    for offer, e in _runs(world):
        if e.result == "success":
            left_out = "undated" if e.seconds is None else "negative" if e.seconds < 0 else None
            yield Event(offer, e.day, e.service, e.team, value=e.seconds, left_out=left_out)


def self_service(world: World) -> Iterator[Event]:
    for offer, e in _runs(world):
        if e.result == "success":
            yield Event(offer, e.day, e.service, e.team, hit=True)
    for e in world.given.evidence:
        if e.rule == "ticket" and e.capability in world.capabilities:
            for offer in (e.capability, None):
                yield Event(offer, e.day, e.service, e.team)


def outside(world: World) -> Iterator[Event]:
    for pull in world.given.pulls:
        team = world.given.members.get(pull.author)
        left_out = "bot" if pull.is_bot else "no_team" if team is None else None
        yield Event(None, pull.day, hit=team not in (None, world.given.platform_owner), left_out=left_out)


class Start(NamedTuple):
    """A team's first touch of an offer."""

    offer: Offer
    team: str
    touched_at: datetime
    is_unknown: bool
    deployed_at: datetime | None


def _starts(world: World) -> Iterator[Start]:
    for offer in [*world.capabilities, None]:
        names = [offer] if offer is not None else [*world.capabilities]
        touches: dict[str, list[tuple[datetime, bool, str | None]]] = {}
        for e in world.given.evidence:
            if e.capability not in names or e.rule == "ticket":
                continue
            if e.service is None:
                team = e.team
            elif e.service in world.capabilities[e.capability].eligible:
                team = world.owner_at_ten(e.service, e.day)
            else:
                team = None
            if team is not None:
                touch = (at(e.day, e.hour), not e.is_start_unknown, e.service)
                touches.setdefault(team, []).append(touch)
        for team, found in touches.items():
            touched_at, is_known, _ = min(found, key=lambda touch: touch[:2])
            deployed = [
                at(day, 12)
                for service, day in world.given.deployments
                if world.owner(service, day) == team
                and any(since <= at(day, 12) and of in (None, service) for since, _, of in found)
            ]
            yield Start(offer, team, touched_at, not is_known, min(deployed, default=None))


def activation(world: World) -> Iterator[Event]:
    for start in _starts(world):
        day = start.touched_at.date()
        left_out = None
        if start.is_unknown:
            left_out = "unknown_start"
        elif day + timedelta(days=30) > world.given.last_day:
            left_out = "recent"
        hit = start.deployed_at is not None and start.deployed_at.date() <= day + timedelta(days=30)
        yield Event(start.offer, day, team=start.team, hit=hit, left_out=left_out)


def first_deployment(world: World) -> Iterator[Event]:
    for start in _starts(world):
        end = start.deployed_at or world.read_until
        yield Event(
            start.offer,
            start.touched_at.date(),
            team=start.team,
            hit=start.deployed_at is not None,
            value=(end - start.touched_at).total_seconds(),
            left_out="unknown_start" if start.is_unknown else None,
        )
