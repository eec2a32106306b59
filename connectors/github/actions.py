"""GitHub's Actions runs: every attempt, and the jobs of recent ones.

The newest 100 runs are asked for on condition that they changed. Where those are not enough, runs
are asked for by when they were created, in windows of fewer than the 1 000 that GitHub gives out.
A run changes after it was created: unfinished ones are followed until they end, a change among
the newest 100 is seen at once, and once a day the last week is gone through. A run that is older
than that, and not among the newest 100, may be run again unseen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Item, Note, Quarantined
from connectors.github import runs as github_runs
from connectors.github import workflows as github_workflows
from connectors.github.api import GitHub, Listed, Progress
from connectors.github.runs import attempt_of, name_of, time_of
from connectors.http import Answer, HttpError, LinkPaging, NotFound
from connectors.parsing import instant, moment, parsed
from connectors.records import CapabilityUse, Job, PipelineRun
from connectors.snapshot import fields

STREAM = "pipeline_run"
JOBS = "job"
MOST_EARLIER_ATTEMPTS = 50
"""As many as GitHub lets a run have."""
MOST_UNDER_WAY = 100
"""How many unfinished runs of a repository are asked for one by one: the newest."""

_CAP = 1000
_AIM = 700
"""Runs in a window, which are never spread evenly."""
_AT_ONCE = 100
_OVERLAP = timedelta(minutes=1)
_TRIES = 3
"""How often a window is gone through while runs are deleted from it."""
_SWEEP_EVERY = timedelta(days=1)
_SWEPT = timedelta(days=7)
_SECOND = timedelta(seconds=1)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Run = Mapping[str, Any]


class _State(NamedTuple):
    """What a cursor keeps of the runs."""

    is_complete: bool = False
    """The first reading came to its end."""
    is_final: bool = False
    """The repository was archived when the last reading came to its end."""
    until: datetime | None = None
    """Every run created up to then is known."""
    changed_until: datetime | None = None
    """And, of the newest 100, every change up to then."""
    swept_at: datetime | None = None
    seen: frozenset[str] = frozenset()
    """Those read that the next reading will meet again, by `name_of`."""
    under_way: Mapping[str, int] = {}
    """Unfinished: id → attempt."""
    validator: Mapping[str, str] | None = None

    @classmethod
    def of(cls, kept: Mapping[str, JsonValue]) -> _State:
        """As a cursor keeps it."""
        seen = kept.get("seen")
        return cls(
            is_complete=kept.get("is_complete") is True,
            is_final=kept.get("is_final") is True,
            until=_time(kept.get("until")),
            changed_until=_time(kept.get("changed_until")),
            swept_at=_time(kept.get("swept_at")),
            seen=frozenset(map(str, seen)) if isinstance(seen, list) else frozenset(),
            under_way={id_: n for id_, n in fields(kept.get("under_way")).items() if isinstance(n, int)},
            validator={name: str(text) for name, text in fields(kept.get("validator")).items()} or None,
        )

    def kept(self) -> dict[str, JsonValue]:
        """For a cursor to keep."""
        return {
            "is_complete": self.is_complete,
            "is_final": self.is_final,
            "until": None if self.until is None else _iso(self.until),
            "changed_until": None if self.changed_until is None else _iso(self.changed_until),
            "swept_at": None if self.swept_at is None else _iso(self.swept_at),
            "seen": [*sorted(self.seen)],
            "under_way": {**self.under_way},
            "validator": {**self.validator} if self.validator else None,
        }

    def is_known(self, run: Run, is_sweep: bool) -> bool:
        """Whether a run was read as it is now."""
        created_at, changed_at = time_of(run, "created_at"), time_of(run, "updated_at")
        if not self.is_complete or not (self.until and self.changed_until and created_at and changed_at):
            return False
        if name_of(run) in self.seen:
            return True
        since = self.changed_until
        if is_sweep and self.swept_at and github_runs.attempt_of(run) > 1:
            # It may have been run again at any time since the last sweep.
            since = min(since, self.swept_at)
        is_recent = created_at >= self.until - _OVERLAP or changed_at >= since - _OVERLAP
        return not is_recent and str(run.get("id")) not in self.under_way


def read(github: GitHub, repository: Listed, progress: Progress, jobs_days: int) -> Iterator[Item]:
    """Yield attempts of runs that are new or changed, and their jobs; raises `HttpError`."""
    yield from _Reading(github, repository, progress, jobs_days).items()


class _Reading:
    def __init__(self, github: GitHub, repository: Listed, progress: Progress, jobs_days: int) -> None:
        self._github = github
        self._client = github.client
        self._repository = repository
        self._progress = progress
        self._jobs_days = jobs_days
        self._jobs_from: datetime | None = None
        self._path = f"/repos/{repository.full_name}/actions/runs"
        self._before = _State.of(progress.part(STREAM))
        self._state = self._before
        self._is_sweep = False
        self._newest = self._changed_until = _NEVER
        self._met: set[str] = set()
        """Ids of the runs that this reading came by."""
        self._under_way: dict[str, int] = {}
        self._seen: set[str] = set()

    def items(self) -> Iterator[Item]:
        before = self._before
        is_archived = self._repository.is_archived
        if before.is_final and is_archived:
            return
        validator = before.validator if before.is_complete else None
        head = self._client.get(self._path, _parameters(), stream=STREAM, validator=validator)
        if head.is_unchanged:
            self._progress.move(pipeline_run=before._replace(is_final=is_archived).kept())
            return
        runs, total = _listed(head.json())
        created = [at for run in runs if (at := time_of(run, "created_at"))]
        if not created:
            yield from self._chunks(runs)
            state = before._replace(is_complete=True, is_final=is_archived, validator=head.validator)
            self._progress.move(pipeline_run=state.kept())
            return
        self._newest = newest = max(created)
        self._changed_until = max((at for run in runs if (at := time_of(run, "updated_at"))), default=newest)
        self._jobs_from = newest - timedelta(days=self._jobs_days) if self._jobs_days else None
        self._is_sweep = before.swept_at is None or newest - before.swept_at >= _SWEEP_EVERY
        start = self._start()
        if total <= len(runs) or min(created) < start:
            yield from self._chunks(
                run for run in runs if before.is_complete or (time_of(run, "created_at") or start) >= start
            )
        else:
            self._meet(runs)
            for window in self._windows(start, newest):
                if isinstance(window, Note):
                    yield window
                else:
                    yield from self._chunks(window)
        yield from self._chunks(self._unfinished())
        self._state = _State(
            is_complete=True,
            is_final=is_archived,
            until=newest,
            changed_until=self._changed_until,
            swept_at=newest if self._is_sweep else before.swept_at,
            seen=frozenset(self._seen),
            under_way=dict(
                sorted(self._under_way.items(), key=lambda each: each[0].zfill(20))[-MOST_UNDER_WAY:]
            ),
            validator=head.validator,
        )
        self._progress.move(pipeline_run=self._state.kept())

    def _start(self) -> datetime:
        """When the oldest run was created that is to be gone through."""
        before = self._before
        if before.until is not None:
            return before.until - _SWEPT if self._is_sweep and before.is_complete else before.until - _OVERLAP
        created_at = moment(self._repository.created_at)
        return max(created_at, self._github.begins_at or created_at)

    def _windows(self, start: datetime, end: datetime) -> Iterator[list[Run] | Note]:
        """All runs created from `start` to `end`, both included, oldest window first."""
        pages = self._pages(start, end)
        runs, total = _listed(next(pages).json())
        seconds = int((end - start).total_seconds())
        if total >= _CAP and seconds >= 1:
            count = min(max(2, math.ceil(total / _AIM)), seconds + 1)
            begins = [start + timedelta(seconds=(seconds + 1) * number // count) for number in range(count)]
            for begin, following in zip(begins, [*begins[1:], end + _SECOND], strict=True):
                yield from self._windows(begin, following - _SECOND)
            return
        if total >= _CAP:
            yield Note(
                self._repository.id, f"of the runs created at {_iso(start)} no more than {_CAP} are read"
            )
        # A run that is deleted meanwhile shifts another past the page it was to be on: then all again.
        by_id = {run.get("id"): run for run in runs}
        for _ in range(_TRIES):
            for page in pages:
                more, total = _listed(page.json())
                by_id |= {run.get("id"): run for run in more}
            if len(by_id) >= total:
                break
            pages = self._pages(start, end)
        yield list(by_id.values())

    def _pages(self, start: datetime, end: datetime) -> Iterator[Answer]:
        window = _parameters(f"{_iso(start)}..{_iso(end)}")
        return self._client.pages(self._path, window, stream=STREAM, paging=LinkPaging())

    def _unfinished(self) -> Iterator[Run]:
        """Runs under way that this reading did not come by."""
        for id_ in self._before.under_way:
            if id_ in self._met:
                continue
            try:
                yield self._client.get(f"{self._path}/{id_}", _ONE, stream=STREAM).json()
            except NotFound:
                # It was deleted.
                continue

    def _chunks(self, runs: Iterable[Run]) -> Iterator[Item]:
        """What is new among `runs`, a few at a time, each carrying the cursor behind them."""
        listed = list(runs)
        self._meet(listed)
        news = sorted(
            (run for run in listed if not self._before.is_known(run, self._is_sweep)),
            key=lambda run: str(run.get("created_at")),
        )
        for begin in range(0, len(news), _AT_ONCE):
            chunk = news[begin : begin + _AT_ONCE]
            yield from self._attempts(chunk)

    def _attempts(self, runs: Sequence[Run]) -> Iterator[Item]:
        attempts: list[Run] = []
        names = [str(run.get("id")) for run in runs]
        for run in runs:
            earlier, lost = self._earlier(run)
            yield from lost
            attempts += [*earlier, run]
        records, failed = parsed(
            attempts,
            lambda run: (github_runs.pipeline_run(run, self._repository, self._github.context), run),
            STREAM,
            self._repository.id,
            lambda run: run["id"],
        )
        yield from failed
        jobs: list[Job] = []
        uses: list[CapabilityUse] = []
        for record, run in records:
            uses += github_workflows.of_run(
                self._github.context, self._repository, record, run.get("referenced_workflows")
            )
            found, failed = self._jobs(record)
            yield from failed
            jobs += found
        created = [at for run in runs if (at := time_of(run, "created_at"))]
        if created:
            self._state = self._state._replace(until=max(self._state.until or created[-1], created[-1]))
        # Killed after this chunk, the next reading has to ask for these again.
        under_way = {id_: attempt for id_, attempt in self._state.under_way.items() if id_ not in names}
        under_way |= {id_: self._under_way[id_] for id_ in names if id_ in self._under_way}
        self._state = self._state._replace(under_way=under_way)
        yield from self._progress.batches(
            (STREAM, [record for record, _ in records]),
            (github_workflows.STREAM, uses),
            (JOBS, jobs),
            pipeline_run=self._state.kept(),
        )

    def _earlier(self, run: Run) -> tuple[list[Run], list[Quarantined]]:
        """The attempts before the one that lists show, as far as they are not known."""
        earlier: list[Run] = []
        lost: list[Quarantined] = []
        last = attempt_of(run) if "id" in run else 0
        first = self._before.under_way.get(str(run.get("id")), 1)
        for number in range(max(first, last - MOST_EARLIER_ATTEMPTS), last):
            path = f"{self._path}/{run['id']}/attempts/{number}"
            try:
                earlier.append(self._client.get(path, _ONE, stream=STREAM).json())
            except NotFound:
                reason = "GitHub has not kept this attempt"
                lost.append(Quarantined(STREAM, self._repository.id, f"{run['id']}/{number}", reason))
        return earlier, lost

    def _jobs(self, run: PipelineRun) -> tuple[list[Job], list[Quarantined]]:
        """The jobs of an attempt, if it has ended and is not too old."""
        if (
            self._jobs_from is None
            or run.result == "running"
            or (run.started_at or self._jobs_from) < self._jobs_from
        ):
            return [], []
        path = f"{self._path}/{run.id}/attempts/{run.attempt}/jobs"
        items: list[Any] = []
        try:
            for page in self._client.pages(path, {"per_page": 100}, stream=JOBS, paging=LinkPaging()):
                items += page.json().get("jobs") or []
        except NotFound:
            reason = "GitHub has not kept the jobs of this attempt"
            return [], [Quarantined(JOBS, self._repository.id, f"{run.id}/{run.attempt}", reason)]
        return parsed(
            items,
            lambda item: github_runs.job(item, self._repository),
            JOBS,
            self._repository.id,
            lambda item: item["id"],
        )

    def _meet(self, runs: Iterable[Run]) -> None:
        """Remember what the next reading has to know of them."""
        for run in runs:
            id_, is_under_way = str(run.get("id")), run.get("status") != "completed"
            self._met.add(id_)
            if is_under_way:
                self._under_way[id_] = github_runs.attempt_of(run)
            created_at, changed_at = time_of(run, "created_at"), time_of(run, "updated_at")
            is_recent = (created_at or self._newest) >= self._newest - _OVERLAP
            if is_under_way or is_recent or (changed_at or self._newest) >= self._changed_until - _OVERLAP:
                self._seen.add(name_of(run))


def _parameters(created: str | None = None) -> dict[str, str | int]:
    window: dict[str, str | int] = {} if created is None else {"created": created}
    # Who opened them is of no use, and each run would name all of its own.
    return {**window, "per_page": 100, **_ONE}


_ONE: dict[str, str | int] = {"exclude_pull_requests": "true"}


def _listed(body: Any) -> tuple[list[Run], int]:
    """The runs of a page and how many there are in all."""
    try:
        runs: list[Run] = [run for run in body["workflow_runs"] if isinstance(run, dict)]
        return runs, int(body["total_count"])
    except (KeyError, TypeError, ValueError):
        raise HttpError(
            "GitHub's list of runs has another shape than documented", "Check that `url` is GitHub's API."
        ) from None


def _time(kept: JsonValue) -> datetime | None:
    return instant(kept) if isinstance(kept, str) else None


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
