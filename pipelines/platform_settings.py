"""The settings `platform` of a workspace: what the platform offers, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Self

from pydantic import Field, model_validator

from pipelines import evidence_rules
from pipelines.config_file import ConfigFile, Location, refusal, suggestion
from pipelines.evidence_rules import EvidenceRule, Placed
from pipelines.setting_types import Duration, Name, Settings


class ServiceFilter(Settings):
    """Some of the services: those that every one of its lists that is set takes in, whatever the case."""

    kinds: tuple[Name, ...] = ()
    """In the catalogue's own words, as `service` or `website`."""
    tiers: tuple[Name, ...] = ()
    lifecycles: tuple[Name, ...] = ()
    teams: tuple[Name, ...] = ()
    """Teams that own them, or that are above those."""
    services: tuple[Name, ...] = ()
    """Names; `*` stands for anything."""


class MandateConfig(ServiceFilter):
    """Somebody's word that some of the eligible services are to use a capability."""

    since: date = Field(alias="from")
    """First day on which it holds."""
    by: Name | None = None
    """Who said so: a role, not a person."""


class ReleasesOf(Settings):
    """In the place of a list of versions: the releases of a repository."""

    repository: Name = Field(alias="from")


class CapabilityConfig(Settings):
    """Something that the platform offers."""

    name: Name
    """Unique among the capabilities, and what they were called formerly."""
    title: Name | None = None
    """For pages; the name unless set."""
    formerly: tuple[Name, ...] = ()
    """What it was called before, so that links and what others push under such a name stay good."""
    owner: Name | None = None
    """Who offers it."""
    kind: Name = "capability"
    """In your own word, as `pipeline` or `database`."""
    eligible: ServiceFilter = ServiceFilter()
    """Which services could use it."""
    cadence: Duration = Field(timedelta(days=30), ge=timedelta(days=1))
    """How often somebody who uses it does so at least."""
    introduced_at: date | None = None
    retired_at: date | None = None
    """First day on which it is no longer offered; its figures end there."""
    mandated_at: date | None = None
    """Day from which all that are eligible are to use it."""
    mandates: tuple[MandateConfig, ...] = ()
    """Who is to use it since when, where that is not all at once."""
    versions: tuple[Name, ...] | ReleasesOf = ()
    """Its versions, oldest first, or `{from: REPOSITORY}` whose releases they are."""
    creates: tuple[Name, ...] = ()
    """Templates of it that make new services, as `default/web-service`."""
    evidence: tuple[EvidenceRule, ...] = Field(min_length=1)
    """What shows that it is used; any will do."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.introduced_at and self.retired_at and self.retired_at <= self.introduced_at:
            raise refusal("is retired before it is introduced", "Correct `introduced_at` or `retired_at`")
        return self


class CheckConfig(Settings):
    """Something that a service should do to be on the paved road."""

    name: Name
    title: Name | None = None
    """For pages; the name unless set."""
    weight: float = Field(1.0, gt=0)
    capability: Name | None = None
    """Passed where the service uses it."""
    evidence: tuple[EvidenceRule, ...] = ()
    """Passed where one of these matches; in the place of `capability`."""
    current: bool = False
    """Passed on the capability's newest version or the one before alone."""
    eligible: ServiceFilter | None = None
    """Which services it is asked of; the capability's unless set."""

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> Self:
        if (self.capability is None) == (not self.evidence):
            raise refusal("has to name either `capability` or `evidence`", "Name one of them")
        if self.current and self.capability is None:
            raise refusal("cannot tell what is current", "Name a `capability` that has `versions`")
        return self


class MigrationConfig(Settings):
    """A move of services from one capability to another."""

    name: Name
    title: Name | None = None
    """For pages; the name unless set."""
    leaves: Name | None = Field(None, alias="from")
    """Capability that is left; a service is done when it uses the new one and no longer this."""
    to: Name
    """Capability that is moved to."""
    scope: ServiceFilter = ServiceFilter()
    """Which services have to move."""
    started_at: date


class PlatformConfig(Settings):
    """What the platform offers."""

    repositories: tuple[Name, ...] = ()
    """Names of the platform's own repositories; `*` stands for anything."""
    capabilities: tuple[CapabilityConfig, ...] = ()
    checks: tuple[CheckConfig, ...] = ()
    migrations: tuple[MigrationConfig, ...] = ()

    def rules(self) -> Iterator[tuple[str, Placed]]:
        """Every rule, with what it is evidence of: a capability's name, or `check:NAME`."""
        held = [("capabilities", i, one.name, one.evidence) for i, one in enumerate(self.capabilities)]
        held += [("checks", i, f"check:{one.name}", one.evidence) for i, one in enumerate(self.checks)]
        for part, number, of, rules in held:
            for place, rule in enumerate(rules):
                yield of, Placed(("platform", part, number, "evidence", place), rule)


def check(file: ConfigFile, platform: PlatformConfig) -> None:
    """Note what is wrong between the settings: names taken twice, unknown ones, rules and their examples."""
    names: list[tuple[Location, str]] = []
    for number, one in enumerate(platform.capabilities):
        names.append((("platform", "capabilities", number, "name"), one.name))
        for place, former in enumerate(one.formerly):
            names.append((("platform", "capabilities", number, "formerly", place), former))
    _check_unique(file, names)
    _check_unique(
        file, [(("platform", "checks", i, "name"), one.name) for i, one in enumerate(platform.checks)]
    )
    moves = enumerate(platform.migrations)
    _check_unique(file, [(("platform", "migrations", i, "name"), one.name) for i, one in moves])
    _check_known(file, platform)
    seen: dict[tuple[str, str, str], Location] = {}
    for of, placed in platform.rules():
        if (of, placed.rule.kind, placed.rule.pattern) in seen:
            file.add(placed.location, "is there twice", "Remove one of them")
        seen[of, placed.rule.kind, placed.rule.pattern] = placed.location
    evidence_rules.check(file, (placed for _, placed in platform.rules()))


def _check_unique(file: ConfigFile, names: Iterable[tuple[Location, str]]) -> None:
    taken: set[str] = set()
    for location, name in names:
        if name in taken:
            file.add(location, f"`{name}` is taken by another", "Give each a name of its own")
        taken.add(name)


def _check_known(file: ConfigFile, platform: PlatformConfig) -> None:
    """Checks and migrations name capabilities there are, and ask of them what they have."""
    known = {one.name: one for one in platform.capabilities}
    named: list[tuple[Location, str | None]] = []
    for number, check in enumerate(platform.checks):
        named.append((("platform", "checks", number, "capability"), check.capability))
        one = known.get(check.capability or "")
        if check.current and one and not one.versions:
            mend = f"Add `versions` to the capability {one.name}, or remove it"
            file.add(("platform", "checks", number, "current"), "cannot be told without versions", mend)
    for number, migration in enumerate(platform.migrations):
        named.append((("platform", "migrations", number, "from"), migration.leaves))
        named.append((("platform", "migrations", number, "to"), migration.to))
    for location, name in named:
        if name is not None and name not in known:
            mend = suggestion(name, known) + "Name one of `platform.capabilities`"
            file.add(location, f"there is no capability `{name}`", mend)
