"""Who did what on which day, asked of the evidence anew each time: no intervals, no SQL, nothing clever.

A *use* here is of an offer: a capability's name, or None for the platform as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from tests.pipelines.adoption.given import (
    FOREVER,
    ORGANISATION,
    TIMEZONE,
    Capability,
    Evidence,
    Given,
    Migration,
)
from tests.pipelines.reference.periods import GRAINS, day_begins, first_day, next_first_day

Group = tuple[str, str]
"""(level, key)."""
Offer = str | None
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spell:
    """An unbroken time of use."""

    begins: date
    ends: date
    """First day without use; `FOREVER` while it lasts."""
    is_start_unknown: bool
    is_first: bool


class World:
    """What was given, and the questions that metrics ask of it."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.services = {s.name: s for s in given.services}
        self.capabilities = {c.name: c for c in given.capabilities}
        self.migrations = {m.name: m for m in given.migrations}
        self.first_seen = min((e.day for e in given.evidence), default=given.last_day)
        self.commit_days = {s: {d for n, d, _ in given.commits if n == s} for s in self.services}
        self.read_until = day_begins(given.last_day + DAY, TIMEZONE)
        # Asked over and over.
        self.is_active = cache(self._is_active)
        self.uses = cache(self._uses)
        self.counts = cache(self._counts)
        self.offered = cache(self._offered)
        self.groups = cache(self._groups)
        self.is_suppressed = cache(self._is_suppressed)
        self.spells = cache(self._spells)

    # Periods.

    def periods(self) -> Iterator[tuple[str, date, date, bool]]:
        """(grain, first day, the day it is as of, whether it is partial)."""
        for grain in GRAINS:
            start = first_day(grain, self.first_seen)
            while start <= self.given.last_day:
                end = next_first_day(grain, start) - DAY
                yield grain, start, min(end, self.given.last_day), end > self.given.last_day
                start = end + DAY

    # Services.

    def exists(self, service: str, day: date) -> bool:
        archived_on = self.services[service].archived_on or FOREVER
        return any(d <= day for d in self.commit_days[service]) and day < archived_on

    def _is_active(self, service: str, day: date) -> bool:
        recent = {day - n * DAY for n in range(90)}
        return self.exists(service, day) and bool(recent & self.commit_days[service])

    def owner(self, service: str, day: date) -> str | None:
        """At the end of a day."""
        for team, since, until in self.services[service].owners:
            if (since or date.min) <= day < (until or FOREVER):
                return team
        return None

    def owner_at_ten(self, service: str, day: date) -> str | None:
        """Before noon, when teams change."""
        return self.owner(service, day - DAY)

    def above(self, team: str | None) -> list[str]:
        return [] if team is None else [team, *self.above(self.given.teams[team])]

    def _groups(self, service: str, day: date) -> list[Group]:
        """What a service is part of at the end of a day."""
        found = [("organisation", ORGANISATION), ("service", service)]
        found += [("team", team) for team in self.above(self.owner(service, day))]
        one = self.services[service]
        found += [("tier", one.tier)] if one.tier else []
        found += [("kind", one.kind)] if one.kind else []
        return found

    def team_groups(self, team: str) -> list[Group]:
        return [("organisation", ORGANISATION), *(("team", each) for each in self.above(team))]

    # Capabilities.

    def is_offered(self, offer: Offer, service: str, day: date) -> bool:
        """Whether the service is one that could use it."""
        life = self.offered(offer, service)
        return life is not None and life[0] <= day < life[1]

    def _offered(self, offer: Offer, service: str) -> tuple[date, date] | None:
        """First day on which it could, and the day after the last; None where it never could."""
        if offer is None:
            lives = [self._life(c) for c in self.given.capabilities if service in c.eligible]
            return (min(a for a, _ in lives), max(b for _, b in lives)) if lives else None
        if offer in self.migrations:
            since = self.in_scope_from(self.migrations[offer], service)
            return (since, FOREVER) if since else None
        one = self.capabilities[offer]
        return self._life(one) if service in one.eligible else None

    def is_between(self, offer: Offer, day: date) -> bool:
        """Whether the day is between an offer's first and last, for whatever service."""
        lives = [life for service in self.services if (life := self.offered(offer, service))]
        return bool(lives) and min(a for a, _ in lives) <= day < max(b for _, b in lives)

    @staticmethod
    def _life(one: Capability) -> tuple[date, date]:
        return one.introduced_on or date.min, one.retired_on or FOREVER

    def _counts(self, offer: Offer, service: str, day: date) -> bool:
        """Whether it is in a denominator, or dormant."""
        return self.is_offered(offer, service, day) and self.exists(service, day)

    def value(self, capability: str, service: str) -> list[Evidence]:
        """Evidence that something was got out of it."""
        return [
            e
            for e in self.given.evidence
            if e.capability == capability
            and e.service == service
            and e.rule != "ticket"
            and (e.is_state or e.result in (None, "success"))
        ]

    def cadence(self, capability: str) -> int:
        return self.capabilities[capability].cadence if capability in self.capabilities else 30

    def last_value_day(self, e: Evidence) -> date:
        if not e.is_state:
            return e.day
        return FOREVER if e.ended_on is None else max(e.ended_on - DAY, e.day)

    def _uses(self, offer: Offer, service: str, day: date) -> bool:
        """Whether there was a value event, or a state, within the cadence up to the day."""
        if offer is None:
            return any(self.uses(name, service, day) for name in self.capabilities)
        one = self.capabilities[offer]
        if service not in one.eligible or day >= (one.retired_on or FOREVER):
            return False
        found = sorted(self.value(offer, service), key=lambda e: (e.day, self.lapse(e), e.is_state))
        for n, e in enumerate(found):
            if e.day <= day < self.lapse(e):
                return True
            if e.is_start_unknown and found[:n] and e.day < (one.retired_on or FOREVER):
                last = max(found[:n], key=lambda before: (self.lapse(before), before.is_state))
                if not last.is_state and self.lapse(last) <= day < e.day:
                    return True
        return False

    def lapse(self, e: Evidence) -> date:
        """First day on which the cadence has passed."""
        last = self.last_value_day(e)
        ends = FOREVER if last == FOREVER else last + self.cadence(e.capability) * DAY
        return min(ends, self.capabilities[e.capability].retired_on or FOREVER)

    def holds(
        self, capability: str, service: str, day: date, is_fit: Callable[[Evidence], bool] = bool
    ) -> bool:
        """Whether a state was there, or an event no longer ago than the cadence."""
        for e in self.value(capability, service):
            last = self.last_value_day(e) if e.is_state else e.day + (self.cadence(capability) - 1) * DAY
            if e.day <= day <= last and is_fit(e):
                return True
        return False

    def is_current(self, capability: str, service: str, day: date) -> bool:
        """On the newest version released by the day, or the one before."""
        released = [
            n for n, d in enumerate(self.given.versions.get(capability, []), 1) if (d or date.min) <= day
        ]
        newest = max(released, default=0)
        return self.holds(
            capability, service, day, lambda e: e.ordinal is not None and e.ordinal >= newest - 1
        )

    def using(self, offer: Offer, service: str, day: date) -> bool:
        """In the numerator of reach: in its denominator, too."""
        return (
            self.counts(offer, service, day)
            and self.is_active(service, day)
            and self.uses(offer, service, day)
        )

    def _spells(self, offer: Offer, service: str) -> list[Spell]:
        found: list[Spell] = []
        day, horizon = self.first_seen, self.given.last_day + 400 * DAY
        while day < horizon:
            if not self.uses(offer, service, day):
                day += DAY
                continue
            begins = day
            while day < horizon and self.uses(offer, service, day):
                day += DAY
            names = [offer] if offer is not None else [*self.capabilities]
            first = [
                e
                for name in names
                if service in self.capabilities[name].eligible
                for e in self.value(name, service)
                if e.day == begins
            ]
            ends = FOREVER if day >= horizon else day
            found.append(Spell(begins, ends, any(e.is_start_unknown for e in first), not found))
        return found

    # Migrations and checks.

    def in_scope_from(self, one: Migration, service: str) -> date | None:
        if service not in one.scope:
            return None
        if one.leaves is None:
            return one.started_on
        days = [one.started_on + n * DAY for n in range((self.given.last_day - one.started_on).days + 200)]
        return next((day for day in days if self.holds(one.leaves, service, day)), None)

    def is_done(self, one: Migration, service: str, day: date) -> bool:
        old = one.leaves is not None and self.holds(one.leaves, service, day)
        return self.holds(one.to, service, day) and not old

    def checks(self, service: str, day: date) -> list[tuple[float, bool]]:
        """(weight, whether it passes) of each check asked of an active service."""
        if not self.is_active(service, day):
            return []
        found = []
        for check in self.given.checks:
            asked = self.capabilities.get(check.capability)
            if service not in check.asked_of or (
                asked and not self._life(asked)[0] <= day < self._life(asked)[1]
            ):
                continue
            passes = self.is_current if check.is_current else self.holds
            found.append((check.weight, passes(check.capability, service, day)))
        return found

    def is_conformant(self, service: str, day: date) -> bool:
        found = self.checks(service, day)
        return bool(found) and all(passes for _, passes in found)

    # Who is too few to tell.

    def offers(self) -> list[Offer]:
        return [*self.capabilities, None, *self.migrations]

    def members(self, offer: Offer, month: date) -> dict[Group, set[str]]:
        """Group → services that counted for the offer in it on a day of the month."""
        found: dict[Group, set[str]] = {}
        day = month
        while day < next_first_day("month", month):
            for service in self.services:
                if self.counts(offer, service, day):
                    for group in self.groups(service, day):
                        found.setdefault(group, set()).add(service)
            day += DAY
        return found

    def authors(self, services: set[str], month: date) -> set[str]:
        """People with a commit in the month or the two before."""
        since = first_day("month", first_day("month", month - DAY) - DAY)
        return {
            author
            for service, day, author in self.given.commits
            if service in services and author and since <= day < next_first_day("month", month)
        }

    def _is_suppressed(self, offer: Offer, month: date) -> dict[Group, bool]:
        """Every group that there is in a month, and whether its figures are withheld."""
        authors = {
            g: len(self.authors(services, month)) for g, services in self.members(offer, month).items()
        }
        hidden = {group for group, n in authors.items() if n < 3}
        beside: dict[tuple[str, str | None], list[tuple[int, str]]] = {}
        for (level, key), n in authors.items():
            if level != "organisation":
                for parent in self._parents(level, key, month):
                    beside.setdefault((level, parent), []).append((n, key))
        for (level, _), keys in beside.items():
            shown = sorted((n, key) for n, key in keys if n >= 3)
            if shown and any(n in (1, 2) for n, _ in keys):
                hidden.add((level, shown[0][1]))
        return {group: group in hidden for group in authors}

    def _parents(self, level: str, key: str, month: date) -> set[str | None]:
        if level == "team":
            return {self.given.teams[key]}
        if level != "service":
            return {None}
        # At any moment of the month.
        days = [month - DAY]
        while days[-1] + DAY < next_first_day("month", month):
            days.append(days[-1] + DAY)
        owners = {self.owner(key, day) for day in days} - {None}
        return {*owners} or {None}
