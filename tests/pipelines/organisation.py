"""Small made-up organisations, modelled for real: records in, figures out."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.connector import Batch
from connectors.git import GitOptions
from connectors.records import Commit, Ref, Repository
from pipelines import ingest, refresh
from pipelines.figures import ROW_KEYS
from pipelines.ingest import Read
from pipelines.landing import Landing
from pipelines.workspace import ServiceConfig, SourceConfig, TeamConfig, Workspace
from tests.pipelines import modelled


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Organisation:
    """Repositories to fill with commits and tags; `build` models them as of `covered_until`."""

    def __init__(
        self,
        *,
        timezone: str = "UTC",
        services: dict[str, tuple[str | None, list[str]]] | None = None,
        teams: dict[str, str | None] | None = None,
        covered_until: str = "2027-01-01 00:00",
    ) -> None:
        self.workspace = Workspace(
            organisation="Acme",
            timezone=timezone,
            sources=(SourceConfig(kind="git", name="git", options=GitOptions(repositories=("/srv/x",))),),
            services=tuple(
                ServiceConfig(name=name, team=team, repositories=tuple(repositories))
                for name, (team, repositories) in (services or {}).items()
            ),
            teams=tuple(TeamConfig(name=name, parent=parent) for name, parent in (teams or {}).items()),
        )
        self.covered_until = utc(covered_until)
        self.connection = modelled.connect()
        self._commits: dict[str, list[Commit]] = {}
        self._tags: dict[str, list[Ref]] = {}

    def commit(
        self,
        repository: str,
        sha: str,
        at: str | None,
        *parents: str,
        bot: bool = False,
        kind: str = "change",
    ) -> None:
        moment = utc(at) if at else None
        kind = "merge" if len(parents) > 1 else kind
        commit = Commit(repository, sha, parents, "who", bot, moment, moment, kind, None)
        self._commits.setdefault(repository, []).append(commit)

    def tag(self, repository: str, name: str, sha: str, at: str) -> None:
        self._tags.setdefault(repository, []).append(Ref(repository, name, "tag", sha, utc(at)))

    def line(self, repository: str, *releases: tuple[str, str]) -> None:
        """Releases 1.0.0, 1.0.1, … one commit each: (authored, tagged)."""
        for number, (authored, tagged) in enumerate(releases):
            above = [f"c{number - 1}"] if number else []
            self.commit(repository, f"c{number}", authored, *above)
            self.tag(repository, f"1.0.{number}", f"c{number}", tagged)

    def build(self, *, is_full: bool = False) -> Organisation:
        with tempfile.TemporaryDirectory() as folder:
            landing = Landing(Path(folder), "git")
            for name in self._commits:
                landing.write(Batch("commit", name, self._commits[name]))
                landing.write(Batch("ref", name, self._tags.get(name, []), is_whole=True))
                repository = Repository(name, name, f"https://git.example.invalid/{name}.git", "main", False)
                landing.write(Batch("repository", name, [repository]))
            ingest.load(
                self.connection, Path(folder), {"git": Read(dict.fromkeys(self._commits, self.covered_until))}
            )
        for built in refresh.build(self.connection, self.workspace, is_full=is_full):
            assert built.broken == {}
        return self

    def rows(
        self, metric: str, level: str = "service", grain: str = "month", *, key: str | None = None
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """(key, first day) → row, of one key or all."""
        cursor = self.connection.execute(
            f"select {', '.join(ROW_KEYS)} from marts.{metric}"
            " where level = $level and grain = $grain and key = coalesce($key, key)"
            " order by key, period_start",
            {"level": level, "grain": grain, "key": key},
        )
        rows = [dict(zip(ROW_KEYS, row, strict=True)) for row in cursor.fetchall()]
        return {(row["key"], row["period_start"].isoformat()): row for row in rows}

    def forget(self, repository: str) -> None:
        """It is no longer in the workspace."""
        del self._commits[repository]
