"""Backstage's template runs: who made what from which template, and how it ended.

The list has no filter by time: it is walked newest first until what is known. A run that failed
may be tried again under the same id, so those of the last days are looked at every time. What
people typed into a template, and who they are, is in each run and is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.backstage.references import reference, version
from connectors.connector import Batch, Item, Note, Quarantined
from connectors.http import Client, Forbidden, HttpError, NotFound, OffsetPaging
from connectors.parallel import interleaved
from connectors.parsing import Malformed, instant, moment, parsed
from connectors.records import CapabilityUse
from connectors.snapshot import fields

STREAM = "capability_use"
PATH = "/api/scaffolder/v2/tasks"

_PER_PAGE = 100
_AT_ONCE = 8
_BATCH_SIZE = 500
_AGAIN = timedelta(days=7)
"""For how long after its start a run that ended is looked at again."""
_RESULTS = {
    "completed": "success",
    "failed": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "open": "running",
    "processing": "running",
}
_RUNNING = {status for status, result in _RESULTS.items() if result == "running"}


class _Run(NamedTuple):
    """An item of the list, whether it can be understood or not."""

    created_at: datetime
    """The beginning of time where it says none."""
    id: str
    state: str
    """Differs where there is something new; of a run that goes on its status alone."""
    raw: Any


class _Nobodys(NamedTuple):
    """A run of which neither a person nor a component is known."""

    id: str


class Tasks:
    """One reading of the template runs."""

    def __init__(self, client: Client, scope: str, person: Callable[[str], str]) -> None:
        self._client = client
        self._scope = scope
        self._person = person

    def items(self, cursor: JsonValue) -> Iterator[Item]:
        """The runs that are not as `cursor` knows them, oldest first; raises `HttpError`."""
        state = fields(fields(cursor).get(STREAM))
        known, until = fields(state.get("recent")), _time(state.get("until"))
        runs = {run.id: run for run in self._listed(until)}
        going_on = [id_ for id_, said in known.items() if said in _RUNNING and id_ not in runs]
        runs |= {run.id: run for run in self._asked(going_on)}
        # A page reaches further back than is asked for.
        looked_at = [run for run in runs.values() if run.id in known or not _is_past(run, until)]
        news = sorted((run for run in looked_at if known.get(run.id) != run.state), key=lambda run: run[:3])
        for number in range(0, len(news), _BATCH_SIZE):
            chunk, later = news[number : number + _BATCH_SIZE], news[number + _BATCH_SIZE :]
            found = list(self._read(chunk))
            yield from (each for each in found if not isinstance(each, CapabilityUse))
            until = max([until or _BEGINNING, *(run.created_at for run in chunk)])
            seen = [runs[id_] for id_ in runs.keys() - {run.id for run in later}]
            recent: dict[str, JsonValue] = {
                run.id: run.state for run in seen if run.state in _RUNNING or not _is_past(run, until)
            }
            position: JsonValue = {STREAM: {"until": until.isoformat(), "recent": recent}}
            uses = [each for each in found if isinstance(each, CapabilityUse)]
            uses.sort(key=lambda use: use.id)
            yield Batch(STREAM, self._scope, uses, position)

    def _listed(self, until: datetime | None) -> Iterator[_Run]:
        """The runs since a few days before `until`, newest first; all where there is none."""
        paging = OffsetPaging(_PER_PAGE, more=lambda body: len(_tasks(body)) == _PER_PAGE)
        for answer in self._client.pages(PATH, {"order": "desc:created_at"}, stream=STREAM, paging=paging):
            page = [*map(_run, _tasks(answer.json()))]
            yield from page
            if any(_is_past(run, until) for run in page):
                return

    def _asked(self, ids: Iterable[str]) -> Iterator[_Run]:
        for id_ in ids:
            try:
                yield _run(self._client.get(f"{PATH}/{id_}", stream=STREAM).json())
            except NotFound:
                continue

    def _read(self, runs: Sequence[_Run]) -> Iterator[CapabilityUse | Quarantined | Note]:
        nobodies = 0
        for each in interleaved([partial(self._use, run) for run in runs], _AT_ONCE):
            if isinstance(each, _Nobodys):
                nobodies += 1
            else:
                yield each
        if nobodies:
            yield Note(self._scope, f"{nobodies} template runs were begun by no user and made no component")

    def _use(self, run: _Run) -> Iterator[CapabilityUse | Quarantined | _Nobodys]:
        events = [] if run.state in _RUNNING else self._events(run.id)
        parse = partial(_use, events=events, person=self._person)
        uses, failed = parsed([run.raw], parse, STREAM, self._scope, lambda task: task["id"])
        yield from (use or _Nobodys(run.id) for use in uses)
        yield from failed

    def _events(self, id_: str) -> list[Any]:
        try:
            events = self._client.get(f"{PATH}/{id_}/events", stream=STREAM).json()
        except (Forbidden, NotFound):
            return []
        return events if isinstance(events, list) else []


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def _is_past(run: _Run, until: datetime | None) -> bool:
    """Whether a run began too long before `until` to be looked at again."""
    return until is not None and _BEGINNING < run.created_at < until - _AGAIN


def _tasks(body: Any) -> list[Any]:
    held = body.get("tasks") if isinstance(body, dict) else None
    if isinstance(held, list):
        return held
    raise HttpError(
        "The scaffolder's answer holds no tasks", "Check that the address is that of Backstage's backend."
    )


def _run(raw: Any) -> _Run:
    task = raw if isinstance(raw, dict) else {}
    status = str(task.get("status"))
    ended = "" if status in _RUNNING else f" {task.get('lastHeartbeatAt')}"
    return _Run(_time(task.get("createdAt")) or _BEGINNING, str(task.get("id")), f"{status}{ended}", raw)


def _use(task: Any, events: Sequence[Any], person: Callable[[str], str]) -> CapabilityUse | None:
    """The use that a run is; None where neither a person nor a component is known."""
    result = _RESULTS.get(task["status"])
    if result is None:
        raise Malformed("status is none that is documented")
    info = task["spec"]["templateInfo"]
    template = reference(info["entityRef"], "template")
    if template is None:
        raise Malformed("templateInfo.entityRef is no reference")
    end = next((event for event in reversed(events) if event["type"] in {"completion", "cancelled"}), None)
    made = _component(end["body"].get("output")) if end else None
    maker = reference(task.get("createdBy"), "user")
    if made is None and (maker is None or maker.kind != "user"):
        return None
    return CapabilityUse(
        id=task["id"],
        capability=str(template),
        subject_kind="service" if made else "person",
        subject=made or person(maker.name if maker else ""),
        happened_at=moment(task["createdAt"]),
        kind="used",
        result=result,
        finished_at=instant(end["createdAt"]) if end else None,
        version=_version(info),
        url=None,
    )


def _component(output: Any) -> str | None:
    """The component that a run says it made."""
    if not isinstance(output, dict):
        return None
    links = output.get("links")
    linked = (
        [link.get("entityRef") for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    )
    said = (reference(each, "component") for each in [output.get("entityRef"), *linked])
    return next((str(each) for each in said if each and each.kind == "component"), None)


def _version(info: Any) -> str | None:
    metadata = (info.get("entity") or {}).get("metadata") or {}
    return version((metadata.get("annotations") or {}).get("backstage.io/template-version"))


def _time(text: object) -> datetime | None:
    try:
        return instant(text) if isinstance(text, str) else None
    except Malformed:
        return None
