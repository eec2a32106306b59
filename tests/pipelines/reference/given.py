"""What a reference run is given: the records of every source, and the settings of the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from connectors.records import Record

PRODUCTION = ("^(prod|production|live)(-.+)?$",)

Kind = TypeVar("Kind", bound=Record)


class Source(NamedTuple):
    """A configured tool."""

    name: str
    kind: str
    releases: str | None = None
    """Pattern of the tags that are deployments; None where the tool reads none."""


class Service(NamedTuple):
    """A configured service; one of a catalogue is made of its records beforehand."""

    name: str
    repositories: tuple[str, ...]
    paths: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Team(NamedTuple):
    """A configured team."""

    name: str
    parent: str | None = None
    calendar: Calendar | None = None
    timezone: str | None = None


class Calendar(NamedTuple):
    """Which days nobody works on."""

    country: str | None = None
    subdivision: str | None = None
    weekend: tuple[int, ...] = (5, 6)
    """Monday is 0."""


@dataclass(frozen=True)
class Given:
    """An organisation: what its tools recorded and how it is configured."""

    records: Sequence[tuple[str, str, Record]]
    """(source, scope, record)."""
    covered: Mapping[tuple[str, str], datetime]
    """(source, scope) → everything before this was read."""
    sources: tuple[Source, ...]
    organisation: str = "Acme"
    timezone: str = "UTC"
    services: tuple[Service, ...] = ()
    """Empty: every repository is a service."""
    teams: tuple[Team, ...] = ()
    environments: tuple[str, ...] = PRODUCTION
    jobs: tuple[str, ...] = ()
    hotfix_labels: tuple[str, ...] = ("hotfix",)
    failure_window: timedelta = timedelta(hours=24)
    include_bots: bool = False
    calendar: Calendar = field(default_factory=Calendar)

    def all(self, kind: type[Kind]) -> Iterator[tuple[str, Kind]]:
        """(source, record) of every record of one kind."""
        known = {source.name for source in self.sources} | {"push"}
        for source, _, record in self.records:
            if isinstance(record, kind) and source in known:
                yield source, record

    def kind_of(self, source: str) -> str:
        return next((known.kind for known in self.sources if known.name == source), "push")
