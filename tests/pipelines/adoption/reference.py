"""Every metric of adoption once more, in loops and dictionaries: what the SQL models are held against."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from pipelines.first_deployment import quantile as kaplan_meier
from tests.pipelines.adoption import events
from tests.pipelines.adoption.events import Event
from tests.pipelines.adoption.given import Given
from tests.pipelines.adoption.world import DAY, Group, Offer, World
from tests.pipelines.reference import intervals
from tests.pipelines.reference.intervals import order_statistics, quantile
from tests.pipelines.reference.periods import first_day, next_first_day

Place = tuple[str, Offer, str, str, str, date]


@dataclass
class Figure:
    value: float | None = None
    n: int = 0
    low: float | None = None
    high: float | None = None
    excluded: Counter[str] = field(default_factory=Counter)


# The same few over and over.
wilson = cache(intervals.wilson)


def rate(hits: int, n: int, excluded: Counter[str]) -> Figure:
    return Figure(hits / n if n else None, n, *wilson(hits, n), excluded)


def middle(values: list[float], excluded: Counter[str] | None = None) -> Figure:
    low, high = order_statistics(values)
    return Figure(quantile(values, 0.5), len(values), low, high, excluded or Counter())


# Shares as of a day: what each service is.


def reach(world: World, offer: Offer, service: str, day: date) -> str | None:
    if not world.counts(offer, service, day):
        return None
    if not world.is_active(service, day):
        return "dormant"
    return "hit" if world.uses(offer, service, day) else "one"


def voluntary_share(world: World, offer: Offer, service: str, day: date) -> str | None:
    if offer not in world.capabilities or not world.using(offer, service, day):
        return None
    spell = next(s for s in world.spells(offer, service) if s.begins <= day < s.ends)
    since = [d for name, d, services in world.given.mandates if name == offer and service in services]
    if not since or spell.begins < min(since):
        return "hit"
    return "unknown_start" if spell.is_start_unknown else "one"


def currency(world: World, offer: Offer, service: str, day: date) -> str | None:
    if offer is None or offer not in world.given.versions or not world.counts(offer, service, day):
        return None
    if not world.is_active(service, day) or not world.holds(offer, service, day):
        return None
    if not world.holds(offer, service, day, lambda e: e.ordinal is not None):
        return "unknown_version"
    return "hit" if world.is_current(offer, service, day) else "one"


def drift(world: World, offer: Offer, service: str, day: date) -> str | None:
    if offer is not None or not world.is_conformant(service, day - timedelta(days=90)):
        return None
    if not world.exists(service, day):
        return None
    if not world.is_active(service, day):
        return "dormant"
    return "hit" if world.is_conformant(service, day) else "one"


def migration_done(world: World, offer: Offer, service: str, day: date) -> str | None:
    if not isinstance(offer, str) or offer not in world.migrations or not world.counts(offer, service, day):
        return None
    if not world.is_active(service, day):
        return "dormant"
    return "hit" if world.is_done(world.migrations[offer], service, day) else "one"


# Of a service a share of its own: (value, what it rests on).


def breadth(world: World, service: str, day: date) -> tuple[float, int] | None:
    offered = [
        c for c in world.capabilities if world.counts(c, service, day) and world.is_active(service, day)
    ]
    used = [c for c in offered if world.uses(c, service, day)]
    return (len(used) / len(offered), len(offered)) if offered else None


def conformance(world: World, service: str, day: date) -> tuple[float, int] | None:
    found = world.checks(service, day)
    asked = sum(weight for weight, _ in found)
    return (sum(weight for weight, passes in found if passes) / asked, len(found)) if found else None


Part = Callable[[World, Offer, str, date], str | None]
SHARES: dict[str, Part] = {
    "reach": reach,
    "voluntary_share": voluntary_share,
    "currency": currency,
    "drift": drift,
    "migration_done": migration_done,
}
MEDIANS = {"breadth": breadth, "conformance": conformance}
RATES: dict[str, Callable[[World], Iterator[Event]]] = {
    "retention": events.retention,
    "new_software_share": events.new_software,
    "template_success": events.template_success,
    "self_service_share": events.self_service,
    "outside_contribution": events.outside,
    "activation": events.activation,
}
MATURES = {"retention": 90}
METRICS = (
    *SHARES, *MEDIANS, *RATES, "developer_reach", "depth", "template_time", "quick_ratio", "churn",
    "first_deployment_p50", "first_deployment_p75",
)  # fmt: skip


def rows(given: Given) -> dict[Place, dict[str, object]]:
    """Every row of every metric that is counted here."""
    world = World(given)
    figures = {
        name: found
        for name in METRICS
        for found in [{(offer, *group, *period): f for offer, group, period, f in _figures(world, name)}]
    }
    found: dict[Place, dict[str, object]] = {}
    nothing = Figure()
    for offer in world.offers():
        for grain, start, as_of, is_partial in world.periods():
            if not world.is_between(offer, as_of):
                continue
            for group, is_suppressed in world.is_suppressed(offer, first_day("month", as_of)).items():
                for name, own in figures.items():
                    one = own.get((offer, *group, grain, start), nothing)
                    place = (name, offer, *group, grain, start)
                    found[place] = row(one, is_suppressed=is_suppressed, is_partial=is_partial)
    return found


def row(one: Figure, *, is_suppressed: bool, is_partial: bool) -> dict[str, object]:
    told: dict[str, object] = {"partial": is_partial}
    if is_suppressed:
        nothing = dict.fromkeys(("value", "n", "low", "high"))
        return told | nothing | {"status": "suppressed", "excluded": {}}
    status = "no_data" if one.value is None else "too_few" if one.n < 5 else "ok"
    told |= {"value": one.value, "n": one.n, "low": one.low, "high": one.high}
    return told | {"status": status, "excluded": dict(+one.excluded)}


Found = tuple[Offer, Group, tuple[str, date], Figure]


def _figures(world: World, name: str) -> Iterator[Found]:
    if name in SHARES or name in MEDIANS or name == "developer_reach":
        for grain, start, as_of, _ in world.periods():
            made = _people(world, as_of) if name == "developer_reach" else _as_of(world, name, as_of)
            for offer, group, one in made:
                yield offer, group, (grain, start), one
    elif name == "churn":
        yield from _churn(world)
    else:
        yield from _by_period(world, name)


def _as_of(world: World, name: str, day: date) -> Iterator[tuple[Offer, Group, Figure]]:
    if name in MEDIANS:
        values: dict[Group, list[tuple[float, int]]] = defaultdict(list)
        for service in world.services:
            if (one := MEDIANS[name](world, service, day)) is not None:
                for group in world.groups(service, day):
                    values[group].append(one)
        for group, found in values.items():
            if group[0] == "service":
                yield None, group, Figure(*found[0])
            else:
                yield None, group, middle([value for value, _ in found])
        return
    parts: dict[tuple[Offer, Group], Counter[str]] = defaultdict(Counter)
    for offer in world.offers():
        if name == "reach" and offer in world.migrations:
            continue
        for service in world.services:
            if (part := SHARES[name](world, offer, service, day)) is not None:
                for group in world.groups(service, day):
                    parts[offer, group][part] += 1
    for (offer, group), counted in parts.items():
        hits, n = counted.pop("hit", 0), 0
        n = hits + counted.pop("one", 0)
        yield offer, group, rate(hits, n, counted)


def _people(world: World, day: date) -> Iterator[tuple[Offer, Group, Figure]]:
    for name, one in world.capabilities.items():
        uses = [
            e
            for e in world.given.evidence
            if e.capability == name and e.person and e.rule != "ticket" and e.result in (None, "success")
        ]
        if not uses or not (one.introduced_on or date.min) <= day < (one.retired_on or date.max):
            continue
        active: dict[Group, set[str]] = defaultdict(set)
        for service, merged_on, author in world.given.merges:
            if service in one.eligible and 0 <= (day - merged_on).days < 28:
                for group in world.groups(service, merged_on):
                    active[group].add(author)
        users = {e.person for e in uses if 0 <= (day - e.day).days < one.cadence}
        for group, people in active.items():
            yield name, group, rate(len(people & users), len(people), Counter())


def _by_period(world: World, name: str) -> Iterator[Found]:
    made = {
        "depth": events.depth,
        "template_time": events.template_time,
        "quick_ratio": events.turns,
        "first_deployment_p50": events.first_deployment,
        "first_deployment_p75": events.first_deployment,
        **RATES,
    }[name]
    seen: dict[tuple[Offer, Group, tuple[str, date]], list[Event]] = defaultdict(list)
    for event in made(world):
        if event.service is not None:
            groups = world.groups(event.service, event.day)
        elif event.team is not None:
            groups = world.team_groups(event.team)
        else:
            groups = [("organisation", "Acme")]
        for grain in ("day", "week", "month", "quarter", "year"):
            start = first_day(grain, event.day)
            is_recent = next_first_day(grain, start) + MATURES.get(name, 0) * DAY > world.given.last_day + DAY
            late = "recent" if name in MATURES and is_recent else event.left_out
            for group in groups:
                seen[event.offer, group, (grain, start)].append(event._replace(left_out=late))
    for (offer, group, period), found in seen.items():
        yield offer, group, period, _figure(name, group, found)


def _figure(name: str, group: Group, found: list[Event]) -> Figure:
    kept = [event for event in found if event.left_out is None]
    excluded = Counter(event.left_out for event in found if event.left_out is not None)
    hits = sum(event.hit for event in kept)
    if name == "template_time":
        return middle([event.value for event in kept if event.value is not None], excluded)
    if name == "quick_ratio":
        losses = len(kept) - hits
        if not losses:
            return Figure(None, len(kept), excluded=excluded)
        low, high = wilson(hits, len(kept))
        assert low is not None
        assert high is not None
        return Figure(hits / losses, len(kept), low / (1 - low), high / (1 - high), excluded)
    if name == "depth":
        own: dict[str, list[bool]] = defaultdict(list)
        for event in kept:
            own[str(event.service)].append(event.hit)
        if group[0] == "service":
            return rate(hits, len(kept), Counter())
        return middle([sum(each) / len(each) for each in own.values()])
    if name.startswith("first_deployment"):
        times = tuple(sorted((event.value, event.hit) for event in kept if event.value is not None))
        reached = kaplan_meier(times, 0.5 if name.endswith("50") else 0.75)
        return Figure(reached.value, len(kept), reached.low, reached.high, excluded)
    return rate(hits, len(kept), excluded)


def _churn(world: World) -> Iterator[Found]:
    for offer in world.offers():
        if offer in world.migrations:
            continue
        for grain, start, as_of, _ in world.periods():
            counted: dict[Group, Counter[str]] = defaultdict(Counter)
            before = start - DAY
            if before < world.first_seen:
                continue
            month = first_day("month", before)
            withheld = world.is_suppressed(offer, month)
            for service in world.services:
                if not world.using(offer, service, before):
                    continue
                if world.using(offer, service, as_of):
                    part = "stays"
                else:
                    is_there = world.counts(offer, service, as_of) and world.is_active(service, as_of)
                    part = "left" if is_there else "dormant"
                for group in world.groups(service, before):
                    counted[group][part] += 1
            for group, parts in counted.items():
                if group[0] != "service" and not withheld.get(group, True):
                    n = parts["stays"] + parts["left"]
                    excluded = Counter({"dormant": parts["dormant"]})
                    yield offer, group, (grain, start), rate(parts["left"], n, excluded)
