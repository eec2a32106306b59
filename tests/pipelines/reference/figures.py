"""Rows of every metric: what each figure counts, made into a figure, at every level and for every period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from statistics import median

from tests.pipelines.reference import activity, ci, failures, stages, waiting
from tests.pipelines.reference.deployments import attempts
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.intervals import order_statistics, quantile, survival, wilson, woodruff
from tests.pipelines.reference.periods import GRAINS, between, day_begins, first_day, next_first_day
from tests.pipelines.reference.world import Seen, Subject, World, world

Period = tuple[str, date]
"""(grain, first day)."""
Place = tuple[str, str, str, str, date]
"""(metric, level, key, grain, first day)."""


@dataclass(frozen=True)
class Figure:
    """One figure, before levels above and empty periods."""

    value: float | None
    n: int = 0
    low: float | None = None
    high: float | None = None
    excluded: Counter[str] = field(default_factory=Counter)
    things: frozenset[object] = frozenset()
    """Of a count: what it counts."""


@dataclass(frozen=True)
class Metric:
    """How a metric is made."""

    estimate: str
    seen: Callable[[World], Iterable[Seen]]
    coverage: str = "delivery"


def deployments(world: World) -> Iterator[Seen]:
    """Every deployment, in every chain."""
    for chain, line in world.lines.items():
        for rollout in line:
            for subject in world.subjects(chain, rollout.finished_at):
                yield Seen(subject, world.day(rollout.finished_at), rollout.id)


def lead_times(world: World) -> Iterator[Seen]:
    for s in world.shipments:
        for subject in world.subjects(s.chain, s.shipped_at):
            yield Seen(
                subject,
                world.day(s.shipped_at),
                s.change.id,
                s.lead_time,
                cluster=s.rollout.id,
                left_out=s.left_out,
            )


def success(world: World) -> Iterator[Seen]:
    """Every try to bring something to production."""
    for attempt in attempts(world.given, world.repositories, world.parts, world.lines):
        for subject in world.subjects(attempt.chain, attempt.ended_at):
            is_over = attempt.result in ("success", "failed")
            yield Seen(
                subject,
                world.day(attempt.ended_at),
                attempt.id,
                hit=attempt.result == "success",
                left_out=None if is_over else attempt.result,
            )


METRICS: dict[str, Metric] = {
    "deployments": Metric("count", deployments),
    "deployment_frequency": Metric("frequency", deployments),
    "deployment_days": Metric("days", deployments),
    "change_lead_time": Metric("clustered_median", lead_times),
    "deployment_success_rate": Metric("rate", success),
    "change_fail_rate": Metric("rate", failures.fail_rate, "failure"),
    "failed_deployment_recovery_time": Metric("survival", failures.recovery, "failure"),
    "rework_rate": Metric("rate", failures.rework, "failure"),
    "time_to_restore": Metric("survival", failures.restore, "failure"),
    "ci_duration_p50": Metric("median", ci.durations, "ci"),
    "ci_duration_p90": Metric("p90", ci.durations, "ci"),
    "ci_queue_p50": Metric("median", ci.queues, "ci"),
    "ci_queue_p90": Metric("p90", ci.queues, "ci"),
    "ci_flaky_rate": Metric("rate", ci.flaky, "ci"),
    "ci_wait": Metric("median", waiting.waits, "ci"),
    "batch_size": Metric("median", stages.batch_size),
    "wip": Metric("open", lambda _: ()),
    "wip_age": Metric("open_age", lambda _: ()),
    "pr_release": Metric("clustered_median", partial(stages.release, working=False)),
    "pr_release_working": Metric("clustered_median", partial(stages.release, working=True)),
}
for _name in ("coding", "pickup", "review"):
    for _suffix, _working in (("", False), ("_working", True)):
        METRICS[f"pr_{_name}{_suffix}"] = Metric(
            "median", partial(stages.stage, name=_name, working=_working)
        )


def rows(given: Given) -> dict[Place, dict[str, object]]:
    """Every row of every metric."""
    found: dict[Place, dict[str, object]] = {}
    everything = world(given)
    lives = activity.lives(everything)
    for name, metric in METRICS.items():
        own = own_figures(everything, lives, metric)
        for (subject, grain, start), row in with_levels(everything, lives, metric, own):
            found[name, *subject, grain, start] = row
    return found


def own_figures(
    world: World, lives: dict[Subject, activity.Life], metric: Metric
) -> dict[tuple[Subject, Period], Figure]:
    """Figures of services, tenures and repositories, in periods with anything to count."""
    if metric.estimate == "days":
        return _day_figures(lives, metric.seen(world))
    if metric.estimate in ("open", "open_age"):
        return _open_figures(world, metric.estimate)
    things: dict[tuple[Subject, Period], dict[object, Seen]] = defaultdict(dict)
    for seen in metric.seen(world):
        for grain in GRAINS:
            things[seen.subject, (grain, first_day(grain, seen.day))].setdefault(seen.thing, seen)
    return {place: figure(metric.estimate, place[1], [*seen.values()]) for place, seen in things.items()}


def figure(estimate: str, period: Period, things: list[Seen]) -> Figure:
    grain, start = period
    kept = [seen for seen in things if seen.left_out is None]
    excluded = Counter(seen.left_out for seen in things if seen.left_out is not None)
    values = [seen.value for seen in kept if seen.value is not None]
    n = len(kept)
    if estimate == "count":
        return Figure(n, n, things=frozenset(seen.thing for seen in kept))
    if estimate == "frequency":
        return Figure(7 * n / (next_first_day(grain, start) - start).days, n)
    if estimate == "rate":
        hits = sum(seen.hit for seen in kept)
        return Figure(hits / n if n else None, n, *wilson(hits, n), excluded)
    if estimate == "survival":
        spans = [(seen.value, seen.ended) for seen in kept if seen.value is not None]
        value, low, high = survival(spans)
        return Figure(value, n, low, high, excluded)
    if estimate == "clustered_median":
        clusters: dict[str, list[float]] = defaultdict(list)
        for seen in kept:
            if seen.value is not None:
                clusters[seen.cluster].append(seen.value)
        return Figure(quantile(values, 0.5), n, *woodruff(clusters), excluded)
    p = {"median": 0.5, "p90": 0.9}[estimate]
    return Figure(quantile(values, p), n, *order_statistics(values, p), excluded)


def _day_figures(
    lives: dict[Subject, activity.Life], deployments: Iterable[Seen]
) -> dict[tuple[Subject, Period], Figure]:
    """Days with a deployment: the median over the weeks that begin in a period; of a day 7 or 0."""
    days: dict[Subject, set[date]] = defaultdict(set)
    for seen in deployments:
        days[seen.subject].add(seen.day)
    weeks: dict[tuple[Subject, Period], list[int]] = defaultdict(list)
    for subject, life in lives.items():
        if not life.is_deployed:
            continue
        for day in between("day", life.first, life.last):
            weeks[subject, ("day", day)].append(7 if day in days[subject] else 0)
        for monday in between("week", life.first, life.last):
            count = sum(first_day("week", day) == monday for day in days[subject])
            for grain in GRAINS[1:]:
                weeks[subject, (grain, first_day(grain, monday))].append(count)
    return {place: Figure(median(counts), len(counts)) for place, counts in weeks.items()}


def _open_figures(world: World, estimate: str) -> dict[tuple[Subject, Period], Figure]:
    """Of what is open at the end of a period; the number is 0 where nothing is, the age then nothing."""
    found: dict[tuple[Subject, Period], list[tuple[float | None, bool]]] = defaultdict(list)
    for subject, grain, start, pull, age in stages.open_at_ends(world):
        is_bot = pull.is_bot and not world.given.include_bots
        found[subject, (grain, start)].append((age, is_bot))
    figures = {}
    for place, pulls in found.items():
        ages = [age for age, is_bot in pulls if age is not None and not is_bot]
        bots = sum(age is not None and is_bot for age, is_bot in pulls)
        excluded = Counter({"bot": bots} if bots else {})
        if estimate == "open":
            figures[place] = Figure(len(ages), len(ages), excluded=excluded)
        elif ages or bots:
            value = quantile(ages, 0.5)
            figures[place] = Figure(value, len(ages), *order_statistics(ages), excluded)
    return figures


def with_levels(
    world: World,
    lives: dict[Subject, activity.Life],
    metric: Metric,
    own: dict[tuple[Subject, Period], Figure],
) -> Iterator[tuple[tuple[Subject, str, date], dict[str, object]]]:
    """Every row of one metric: empty periods, too, and the levels above a service."""
    filled: dict[tuple[Subject, Period], tuple[Figure, bool]] = {}
    for subject, life in lives.items():
        until = life.covered[metric.coverage]
        for grain in GRAINS:
            for start in between(grain, life.first, life.last):
                is_partial = until < day_begins(next_first_day(grain, start), world.given.timezone)
                is_zero = metric.estimate in ("count", "frequency") and life.is_deployed
                empty = Figure(0 if is_zero else None)
                filled[subject, (grain, start)] = own.get((subject, (grain, start)), empty), is_partial
    members: dict[tuple[Subject, Period], list[tuple[Figure, bool]]] = defaultdict(list)
    for (subject, period), (one, is_partial) in filled.items():
        if subject[0] != "tenure":
            yield (subject, *period), row(metric, subject, one, is_partial=is_partial)
        for above in levels_above(world, subject):
            members[above, period].append((one, is_partial))
    for (subject, period), found in members.items():
        combined = combine(metric, [one for one, _ in found])
        is_partial = any(is_partial for _, is_partial in found)
        yield (subject, *period), row(metric, subject, combined, is_partial=is_partial)


def levels_above(world: World, subject: Subject) -> list[Subject]:
    """The organisation of a service, the team of a tenure."""
    level, key = subject
    if level == "service":
        return [("organisation", world.given.organisation)]
    return [("team", tenure.team) for tenure in world.tenures if level == "tenure" and tenure.key == key]


def combine(metric: Metric, members: list[Figure]) -> Figure:
    """Above a service: the median over services of equal weight; of a count the number of distinct things."""
    values = [one.value for one in members if one.value is not None]
    excluded: Counter[str] = Counter()
    for one in members:
        excluded += one.excluded
    if len(values) < len(members):
        excluded["services_without_figure"] = len(members) - len(values)
    if metric.estimate == "count":
        things = frozenset(thing for one in members for thing in one.things)
        return Figure(len(things) if values else None, len(things), excluded=excluded, things=things)
    middle = median(values) if values else None
    return Figure(middle, len(values), *order_statistics(values), excluded)


def row(metric: Metric, subject: Subject, one: Figure, *, is_partial: bool) -> dict[str, object]:
    level = subject[0]
    is_census = metric.estimate in ("count", "frequency", "days", "open")
    above = level in ("organisation", "team")
    if one.value is None:
        status = "no_data"
    elif one.n < 5 and (not is_census or (above and metric.estimate != "count")):
        status = "too_few"
    else:
        status = "ok"
    return {
        "value": one.value,
        "n": one.n,
        "low": one.low,
        "high": one.high,
        "status": status,
        "partial": is_partial,
        "excluded": dict(one.excluded),
    }
