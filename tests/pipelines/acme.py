"""A made-up organisation to write down in a test, record by record, and to read figures of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import duckdb
from pydantic import JsonValue

from connectors.connector import Batch, Covered, Item
from connectors.records import (
    Commit,
    Deployment,
    Incident,
    Job,
    Ownership,
    PipelineRun,
    PullRequest,
    Record,
    Ref,
    Repository,
)
from pipelines import ingest
from tests.pipelines import modelled
from tests.pipelines.modelled import Row
from tests.pipelines.reference.given import Given, Source

RELEASES = r"^v?\d+\.\d+\.\d+$"
SOURCES = (Source("github", "github", RELEASES), Source("pagerduty", "pagerduty"))
HOUR = 3600.0
DAY = 24 * HOUR


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _moment(text: str | None) -> datetime | None:
    return utc(text) if text else None


class Acme:
    """Repositories of one host, deployments, incidents and runs; times are UTC, as `2026-01-31 12:00`."""

    def __init__(self, *, covered_until: str = "2026-07-01 00:00", **settings: Any) -> None:
        self.given = Given((), {}, **{"sources": SOURCES} | settings)
        self.covered_until = utc(covered_until)
        self._records: dict[tuple[str, str, type[Record], tuple[object, ...]], Record] = {}
        self._last: dict[str, str] = {}
        self._names = 0
        self._batches: list[tuple[str, Batch]] = []
        self._covered: dict[tuple[str, str], datetime] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None

    def commit(
        self,
        repository: str,
        sha: str,
        at: str | None,
        *parents: str,
        source: str = "github",
        url: str | None = None,
        bot: bool = False,
        kind: str = "change",
        number: int | None = None,
        **fields: Any,
    ) -> None:
        """After `parents`, else after the repository's last one; the repository is made with its first."""
        url = url or f"https://git.example.invalid/acme/{repository}"
        self.add(source, repository, Repository(repository, repository, url, "main", False))
        before = parents or ((self._last[repository],) if repository in self._last else ())
        kind = "merge" if len(before) > 1 else kind
        moment = _moment(at)
        record = Commit(repository, sha, before, "who", bot, moment, moment, kind, number, **fields)
        self.add(source, repository, record)
        self._last[repository] = sha

    def commits(self, repository: str, at: str, *shas: str) -> None:
        """One after the other, all authored `at`."""
        for sha in shas:
            self.commit(repository, sha, at)

    def tag(self, repository: str, name: str, sha: str, at: str) -> None:
        self.add("github", repository, Ref(repository, name, "tag", sha, utc(at)))

    def pull_request(
        self,
        repository: str,
        number: int,
        *commits: str,
        merged: str | None = None,
        opened: str = "2026-01-01 00:00",
        first: str | None = None,
        ready: str | None = None,
        reviewed: str | None = None,
        **fields: Any,
    ) -> None:
        """Of `commits` as the host lists them; `fields` are those of the record."""
        moment = _moment(merged)
        record = PullRequest(
            repository=repository,
            number=number,
            url=f"https://git.example.invalid/acme/{repository}/pull/{number}",
            author="who",
            is_bot=False,
            kind="change",
            is_hotfix=False,
            base_ref="main",
            head_sha=commits[-1] if commits else None,
            merge_sha=None,
            first_commit_at=_moment(first),
            opened_at=utc(opened),
            ready_at=_moment(ready),
            first_review_at=_moment(reviewed),
            approved_at=None,
            merged_at=moment,
            closed_at=moment,
            additions=1,
            deletions=1,
            changed_files=1,
            commits=len(commits),
            reviews=1,
            labels=(),
            reverts=None,
            commit_shas=commits,
        )
        self.add("github", repository, record._replace(**fields))

    def deploy(
        self,
        repository: str | None,
        sha: str,
        at: str | None,
        *,
        name: str | None = None,
        environment: str = "production",
        status: str = "success",
        started: str | None = None,
        source: str = "github",
        **fields: Any,
    ) -> str:
        """To production, finished `at`; gives back its id."""
        name = name or self._name("d")
        finished = _moment(at)
        asked = _moment(started) or finished or self.covered_until
        record = Deployment(
            id=name,
            repository=repository,
            repository_url=None,
            service=None,
            environment=environment,
            is_production=None,
            sha=sha,
            ref=None,
            status=status,
            created_at=asked,
            started_at=asked,
            finished_at=finished,
            url=None,
        )
        self.add(source, repository or source, record._replace(**fields))
        return name

    def incident(
        self,
        service: str | None,
        opened: str,
        resolved: str | None = None,
        *,
        name: str | None = None,
        source: str = "pagerduty",
        **fields: Any,
    ) -> str:
        """Opened and, unless it is open, resolved; gives back its id."""
        name = name or self._name("i")
        status = "resolved" if resolved else "open"
        record = Incident(
            id=name,
            service=service,
            repository=None,
            severity="high",
            status=status,
            opened_at=utc(opened),
            acknowledged_at=None,
            resolved_at=_moment(resolved),
            deployment=None,
            sha=None,
            change_number=None,
            url=None,
        )
        self.add(source, source, record._replace(**fields))
        return name

    def run(
        self,
        repository: str,
        sha: str,
        started: str,
        finished: str,
        *,
        name: str | None = None,
        attempt: int = 1,
        result: str = "success",
        workflow: str = "build",
        **fields: Any,
    ) -> str:
        """An attempt of a CI run; gives back the run's id."""
        name = name or self._name("r")
        record = PipelineRun(
            id=name,
            attempt=attempt,
            repository=repository,
            repository_url=None,
            workflow=workflow,
            branch="main",
            event="push",
            sha=sha,
            queued_at=utc(started),
            started_at=utc(started),
            finished_at=utc(finished),
            result=result,
            url=f"https://ci.example.invalid/{name}",
        )
        self.add("github", repository, record._replace(**fields))
        return name

    def job(
        self,
        run: str,
        name: str,
        started: str,
        finished: str,
        *,
        repository: str = "shop",
        attempt: int = 1,
        result: str = "success",
        queued: str | None = None,
    ) -> None:
        record = Job(
            id=self._name("j"),
            run=run,
            attempt=attempt,
            repository=repository,
            name=name,
            runner=None,
            queued_at=utc(queued or started),
            started_at=utc(started),
            finished_at=utc(finished),
            result=result,
            url=None,
        )
        self.add("github", repository, record)

    def owned(self, service: str, team: str, since: str | None = None, until: str | None = None) -> None:
        record = Ownership(service, team, _moment(since), _moment(until))
        self.add("github", "github", record)

    def add(self, source: str, scope: str, *records: Record) -> None:
        """Any record; one of the same id is replaced."""
        for record in records:
            key = tuple(record[:2]) if isinstance(record, Commit | PullRequest | PipelineRun) else record[:1]
            if isinstance(record, Ref | Ownership):
                key = record[:3]
            self._records[source, scope, type(record), key] = record

    def take(self, source: str, items: Iterable[Item]) -> None:
        """What a connector yields."""
        for item in items:
            if isinstance(item, Batch):
                self._batches.append((source, item))
            elif isinstance(item, Covered):
                self._covered[source, item.scope] = self.covered_until

    def cursors(self, source: str) -> dict[str, JsonValue]:
        assert self._connection, "not built"
        return ingest.cursors(self._connection, source)

    def build(self) -> Acme:
        """Through the real pipeline; again with what was added since, in the same warehouse."""
        records = [(source, scope, record) for (source, scope, _, _), record in self._records.items()]
        covered = self._covered | dict.fromkeys([place[:2] for place in self._records], self.covered_until)
        self.given = dataclasses.replace(self.given, records=records, covered=covered)
        self._connection = modelled.build(self.given, self._connection, self._batches)
        self._batches.clear()
        return self

    def row(
        self,
        metric: str,
        key: str = "shop",
        start: str = "2026-01-01",
        *,
        grain: str = "year",
        level: str = "service",
    ) -> Row:
        """One figure; `excluded` as a dictionary."""
        cursor = self.query(
            f"select * from marts.{metric} where key = ? and period_start = ? and grain = ? and level = ?",
            key,
            start,
            grain,
            level,
        )
        ((row),) = cursor
        return row | {"excluded": json.loads(row["excluded"])}

    def value(self, metric: str, key: str = "shop", start: str = "2026-01-01", **place: str) -> float | None:
        value = self.row(metric, key, start, **place)["value"]
        assert value is None or isinstance(value, float)
        return value

    def query(self, sql: str, *parameters: object) -> list[Row]:
        assert self._connection, "not built"
        cursor = self._connection.execute(sql, parameters)
        names = [name for name, *_ in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _name(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"
