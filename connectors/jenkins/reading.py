"""Reading one Jenkins job, or all branches of a multibranch project: new builds, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import JsonValue

from connectors.connector import Batch, Context, Covered, Item, Note, Problem, Quarantined, Retained
from connectors.http import Client, Forbidden, HttpError, NotFound, Unauthorized
from connectors.jenkins.builds import PARAMETER_FIELDS, RUN_FIELDS, Parser, is_running
from connectors.jenkins.walk import Job, whole
from connectors.parsing import parsed
from connectors.records import Record

if TYPE_CHECKING:
    from connectors.jenkins import JenkinsOptions

_PAGE = 100
_CHUNK = 200
"""Builds after which the cursor moves on, as the stages of each may cost a request."""
_LISTED_RUNS = 10
"""How many of the newest runs the stage API lists in one answer, by default."""
_BATCH_SIZE = 5_000


class Position(NamedTuple):
    """How far the builds of one job have been read."""

    number: int = 0
    """The highest of a build that was read."""
    at: int = 0
    """The latest start of one, milliseconds since 1970: a job that is made anew counts from 1 again."""
    running: tuple[tuple[int, int], ...] = ()
    """Number and start of builds that ran when they were read."""

    @classmethod
    def of(cls, value: JsonValue) -> Position:
        """From a cursor; the beginning where it holds none."""
        match value:
            case {"number": int(number), "at": int(at), "running": list(running)}:
                pairs = [each for each in running if isinstance(each, list) and len(each) == 2]
                return cls(number, at, tuple((whole(one), whole(other)) for one, other in pairs))
        return cls()

    def written(self) -> dict[str, JsonValue]:
        """For a cursor."""
        return {"number": self.number, "at": self.at, "running": [list(each) for each in self.running]}

    def knows(self, build: Mapping[str, Any]) -> bool:
        number, at = _key(build)
        return number <= self.number and at <= self.at

    def is_current(self, job: Job, floor: int) -> bool:
        """Whether the job's newest build is read or older than `floor`, and nothing that ran is over."""
        last = job.last
        if last is None or 0 < last.timestamp < floor:
            return True
        if not last.number or last.number > self.number or last.timestamp > self.at:
            return False
        return not self.running or (last.is_running and self.running == ((last.number, last.timestamp),))

    def after(self, builds: Sequence[Mapping[str, Any]], running: set[tuple[int, int]]) -> Position:
        """Once `builds`, oldest first, are read and `running` is what is not over yet."""
        keys = [key for build in builds if (key := _key(build)) not in self.running]
        return Position(
            max([self.number, *(number for number, _ in keys)]),
            max([self.at, *(at for _, at in keys)]),
            tuple(sorted(running)),
        )


class Reading:
    """One run over a Jenkins; may be used by several threads, with one job in each."""

    def __init__(
        self, name: str, page: str, client: Client, options: JenkinsOptions, context: Context
    ) -> None:
        """`page` is where people open Jenkins, for links alone."""
        self._page = page
        self._client = client
        self._options = options
        self._context = context
        self._has_run_lists = True
        self._has_stages: bool | None = None
        """Whether the stage API is there; None until an answer shows it."""
        self._name = name
        self._fields = RUN_FIELDS
        if any(rule.parameters for rule in options.deployments):
            self._fields = f"{RUN_FIELDS},{PARAMETER_FIELDS}"
        self._floor = _milliseconds(options.since) if options.since else 0
        today = datetime.now(UTC).date()
        self._stages_floor = 0 if options.stages is None else _milliseconds(today - timedelta(options.stages))

    def items(self, scope: str, jobs: Sequence[Job], cursor: JsonValue) -> Iterator[Item]:
        """Yield what is new in a job, or in the branches of a multibranch project."""
        began = datetime.now(UTC)
        positions = _positions(cursor)
        here = {job: self._context.branch(job.branch) if job.branch is not None else "" for job in jobs}
        state = {name: position for name, position in positions.items() if name in here.values()}
        gathered = _Gathered(scope)

        def rest() -> Iterator[Item]:
            if any(state[name] != positions.get(name, Position()) for name in state):
                yield from gathered.emptied(state)

        for job, name in here.items():
            position = state.get(name, Position())
            if position.is_current(job, self._floor) or (job.is_disabled and name not in state):
                continue
            try:
                for reached in self._new(job, position, gathered):
                    state[name] = reached
                    if gathered.is_enough:
                        yield from gathered.emptied(state)
            except NotFound:
                # A branch that goes while its project is read is like one that went before.
                if job.branch is None:
                    yield from rest()
                    yield Retained(scope, "Jenkins listed it, and then had it no longer")
                    return
            except Unauthorized:
                raise
            except HttpError as error:
                yield from rest()
                yield Problem(scope, str(error), error.mend, error.is_transient)
                return
        yield from rest()
        yield Covered(scope, began)

    def notes(self) -> Iterator[Note]:
        """What a person may want to know once all is read."""
        if self._has_stages is False:
            yield Note(
                self._name,
                "No stages are read: the plugin Pipeline: REST API is not installed, or not allowed",
            )

    def _new(self, job: Job, position: Position, gathered: _Gathered) -> Iterator[Position]:
        """Gather what is new of a job, a few builds at a time; yield how far that is."""
        parser = Parser(job, self._page, self._options.deployments, self._context)
        builds = self._builds(job, position)
        listed = {_key(build) for build in builds}
        fresh = [build for build in builds if not (is_running(build) and _key(build) in position.running)]
        fresh.sort(key=_key)
        # A build that ran and is listed no longer was deleted: what became of it, nobody knows.
        running = {key for key in position.running if key in listed}
        for start in range(0, max(len(fresh), 1), _CHUNK):
            chunk = fresh[start : start + _CHUNK]
            stages = self._stages(job, chunk)
            for build in chunk:
                gathered.add(parser, build, stages.get(_key(build), []))
                (running.add if is_running(build) else running.discard)(_key(build))
            position = position.after(chunk, running)
            yield position

    def _builds(self, job: Job, position: Position) -> list[dict[str, Any]]:
        """The builds that are new, or ran when last seen."""
        oldest = min([number for number, _ in position.running], default=position.number + 1)
        found: dict[tuple[int, int], dict[str, Any]] = {}
        for start in range(0, 1_000_000_000, _PAGE):
            tree = f"allBuilds[{self._fields}]{{{start},{start + _PAGE}}}"
            body = self._client.get(f"{job.address}/api/json", {"tree": tree}, stream="pipeline_run").json()
            page = [each for each in _list(body, "allBuilds") if isinstance(each, dict)]
            found |= {_key(build): build for build in page}
            is_known = any(position.knows(build) and _key(build)[0] <= oldest for build in page)
            if len(page) < _PAGE or is_known or any(0 < _key(build)[1] < self._floor for build in page):
                break
        return [
            build
            for key, build in found.items()
            if (not position.knows(build) or key in position.running) and not 0 < key[1] < self._floor
        ]

    def _stages(self, job: Job, builds: Sequence[Mapping[str, Any]]) -> dict[tuple[int, int], list[Any]]:
        """Build → its stages, of those builds that are over and have any."""
        wanted = {
            _key(build)[0]: _key(build)
            for build in builds
            if str(build.get("_class")).endswith("WorkflowRun")
            and not is_running(build)
            and _key(build)[1] >= self._stages_floor
        }
        if not wanted or self._has_stages is False or self._options.stages == 0:
            return {}
        found: dict[int, list[Any]] = {}
        newest = job.last.number if job.last else 0
        if max(wanted) > newest - _LISTED_RUNS:
            found = self._run_list(job, min(wanted))
        for number in sorted(wanted.keys() - found.keys()):
            try:
                run = self._client.get(f"{job.address}/{number}/wfapi/describe", stream="job").json()
            except (NotFound, Forbidden):
                if self._has_stages is None and not self._run_list(job, number) and not self._has_run_lists:
                    # Not this build is missing, but the plugin.
                    self._has_stages = False
                if self._has_stages is False:
                    break
                continue
            self._has_stages = True
            found[number] = _list(run, "stages")
        return {wanted[number]: found[number] for number in wanted if number in found}

    def _run_list(self, job: Job, since: int) -> dict[int, list[Any]]:
        """The stages of the newest runs, down to number `since` or as far as the list goes."""
        if not self._has_run_lists:
            return {}
        try:
            runs = self._client.get(f"{job.address}/wfapi/runs", {"since": f"#{since}"}, stream="job").json()
        except (NotFound, Forbidden):
            self._has_run_lists = False
            return {}
        self._has_stages = True
        return {
            int(run["id"]): _list(run, "stages")
            for run in (runs if isinstance(runs, list) else [])
            if isinstance(run, dict) and str(run.get("id")).isdecimal()
        }


class _Gathered:
    """Records of many small jobs, put together to batches that are worth a file."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._records: dict[str, list[Record]] = {"pipeline_run": [], "job": [], "deployment": []}
        self._quarantined: list[Quarantined] = []

    @property
    def is_enough(self) -> bool:
        return sum(map(len, self._records.values())) >= _BATCH_SIZE

    def add(self, parser: Parser, build: dict[str, Any], stages: Sequence[Any]) -> None:
        """Take the records of a build."""
        id_ = f"{parser.name}#{build.get('number')}"
        if not self._taken("pipeline_run", [build], lambda it: [parser.run(it)], id_):
            return
        sound = [
            stage
            for stage in stages
            if self._taken("job", [stage], lambda it: [parser.stage(build, it)], f"{id_}, a stage")
        ]
        self._taken("deployment", [build], lambda it: [*parser.deployments(it, sound)], id_)

    def _taken(self, stream: str, items: list[Any], parse: Callable[[Any], list[Record]], name: str) -> bool:
        """Whether the records of the one item could be made, and were taken."""
        made, failed = parsed(items, parse, stream, self._scope, lambda _: name)
        self._records[stream] += [record for records in made for record in records]
        self._quarantined += failed
        return not failed

    def emptied(self, state: Mapping[str, Position]) -> Iterator[Item]:
        """What was gathered, and the cursor that claims it."""
        cursor: JsonValue = {name: position.written() for name, position in state.items()}
        yield from self._quarantined
        *first, last = [stream for stream, records in self._records.items() if records] or ["pipeline_run"]
        for stream in first:
            yield Batch(stream, self._scope, self._records[stream])
        yield Batch(last, self._scope, self._records[last], cursor)
        self._quarantined = []
        self._records = {stream: [] for stream in self._records}


def _positions(cursor: JsonValue) -> dict[str, Position]:
    """Masked branch, or nothing for a job without one → how far it was read."""
    return {name: Position.of(value) for name, value in cursor.items()} if isinstance(cursor, dict) else {}


def _key(build: Mapping[str, Any]) -> tuple[int, int]:
    """Number and start; 0 for what cannot be understood."""
    return whole(build.get("number")), whole(build.get("timestamp"))


def _list(body: Any, field: str) -> list[Any]:
    held = body.get(field) if isinstance(body, dict) else None
    return held if isinstance(held, list) else []


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
