"""Runs of Backstage's templates, read from the demo's server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.backstage import tasks as backstage_tasks
from connectors.backstage.tasks import PATH, Tasks
from connectors.connector import Batch, Context, Item, Note, Problem, Quarantined
from connectors.http import Client
from connectors.records import CapabilityUse
from demo.servers.backstage import app
from tests.connectors.backstage_portal import PEOPLE, Portal, hours, task
from tests.connectors.backstage_reader import Reader, of, reading
from tests.connectors.contract import Loaded, scopes
from tests.serving import serving

ADA = Context(Path("unused"), b"key").person("ada")
SCOPE = "scaffolder"


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def reader(portal: Portal) -> Iterator[Reader]:
    with reading(portal) as reader:
        yield reader


def uses(reader: Reader) -> list[CapabilityUse]:
    return [use for use in reader.records(CapabilityUse) if use.kind == "used"]


def batches(items: list[Item]) -> list[Any]:
    return [batch for batch in of(items, Batch) if batch.scope == SCOPE]


def paths(reader: Reader) -> list[str]:
    """What was asked of the scaffolder, without the ids' zeros."""
    asked = [each.path.removeprefix(PATH) for each in reader.received if each.path.startswith(PATH)]
    return [path.replace("00000000-0000-4000-8000-00000000000", "") for path in asked]


def twisted(number: int, **fields: Any) -> Any:
    """A change that replaces fields of one run."""
    id_ = task(number, at=0).id

    def change(path: str, body: Any) -> Any:
        listed = body.get("tasks", [body]) if isinstance(body, dict) else []
        for item in listed:
            if item.get("id") == id_:
                item.update(fields)
        return body

    return change


def test_a_run_that_made_a_component_is_of_that_service(reader: Reader) -> None:
    reader.read()
    made, failed = uses(reader)
    assert made == CapabilityUse(
        id=task(1, at=0).id,
        capability="template:default/service",
        subject_kind="service",
        subject="component:default/cart",
        happened_at=hours(1),
        kind="used",
        result="success",
        finished_at=hours(1) + timedelta(minutes=10),
        version=None,
        url=None,
    )
    assert (failed.subject_kind, failed.subject, failed.result) == ("person", ADA, "failed")
    assert failed.finished_at == hours(2) + timedelta(minutes=10)


def test_what_people_typed_and_who_they_are_does_not_land(reader: Reader) -> None:
    told = repr(reader.read())
    for person in PEOPLE:
        assert person.name not in told
        assert f"user:default/{person.login}" not in told
    assert "unnamed" not in told


def test_nothing_new_costs_one_request_and_no_item(reader: Reader) -> None:
    reader.read()
    assert paths(reader) == ["", "/1/events", "/2/events"]
    items = reader.read()
    assert not of(items, Batch)
    assert paths(reader) == [""]


def test_only_what_is_new_is_read_newest_first_until_what_is_known(
    portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backstage_tasks, "_PER_PAGE", 2)
    portal.world.tasks = [task(number, at=number * 24) for number in range(1, 30)]
    reader.read()
    assert len(uses(reader)) == 29
    portal.world.tasks.append(task(30, at=30 * 24))
    items = reader.read()
    assert [record.id for batch in batches(items) for record in batch.records] == [task(30, at=0).id]
    # Those of the last seven days fit on four pages, and the fifth is older.
    assert paths(reader).count("") == 5


def test_a_run_that_goes_on_is_asked_for_until_it_ends(portal: Portal, reader: Reader) -> None:
    portal.world.tasks = [task(1, at=1, status="processing"), task(2, at=24 * 20)]
    reader.read()
    running = uses(reader)[0]
    assert (running.result, running.finished_at, running.subject) == ("running", None, ADA)
    assert not of(reader.read(), Batch)
    portal.world.tasks[0] = replace(task(1, at=1, made="cart"), finished_at=hours(50))
    (batch,) = batches(reader.read())
    assert [record.id for record in batch.records] == [task(1, at=0).id]
    ended = uses(reader)[0]
    assert (ended.result, ended.finished_at, ended.subject) == (
        "success",
        hours(50),
        "component:default/cart",
    )


def test_an_old_one_that_goes_on_is_asked_for_alone_and_may_vanish(
    portal: Portal, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backstage_tasks, "_PER_PAGE", 1)
    portal.world.tasks = [task(1, at=1, status="processing"), task(2, at=24 * 20), task(3, at=24 * 40)]
    reader.read()
    reader.read()
    assert paths(reader) == ["", "", "/1"]
    portal.world.tasks.pop(0)
    assert not of(reader.read(), Problem | Batch)  # type: ignore[arg-type]


def test_one_that_is_tried_again_has_its_last_result(portal: Portal, reader: Reader) -> None:
    reader.read()
    portal.world.tasks[1] = replace(task(2, at=2, made="site"), finished_at=hours(30))
    reader.read()
    again = uses(reader)[1]
    assert (again.result, again.finished_at, again.subject) == (
        "success",
        hours(30),
        "component:default/site",
    )


@pytest.mark.parametrize(
    ("status", "result"), [("cancelled", "cancelled"), ("open", "running"), ("skipped", "skipped")]
)
def test_every_end_has_a_result(portal: Portal, reader: Reader, status: str, result: str) -> None:
    portal.server.change = twisted(2, status=status)
    reader.read()
    assert uses(reader)[1].result == result


def test_events_that_may_not_be_seen_leave_the_end_unknown(portal: Portal, reader: Reader) -> None:
    refused = (403, {"error": {"name": "NotAllowedError", "message": "no"}})
    portal.server.answers[f"{PATH}/{task(1, at=0).id}/events"] = refused
    items = reader.read()
    assert not of(items, Problem)
    assert (uses(reader)[0].finished_at, uses(reader)[0].subject) == (None, ADA)


@pytest.mark.parametrize(
    "fields",
    [
        {"spec": None},
        {"spec": {"templateInfo": {"entityRef": 5}}},
        {"spec": {}},
        {"createdAt": "ada"},
        {"status": "lost"},
    ],
)
def test_a_malformed_run_is_quarantined_once_and_the_rest_read(
    portal: Portal, reader: Reader, fields: dict[str, Any]
) -> None:
    portal.server.change = twisted(2, **fields)
    (quarantined,) = of(reader.read(), Quarantined)
    assert (quarantined.stream, quarantined.id) == ("capability_use", task(2, at=0).id)
    assert "ada" not in quarantined.reason
    assert len(uses(reader)) == 1
    assert not of(reader.read(), Quarantined | Batch)  # type: ignore[arg-type]


@pytest.mark.parametrize("maker", [None, "plugin:scheduler", "group:default/web"])
def test_what_no_person_began_and_no_component_came_of_is_told(
    portal: Portal, reader: Reader, maker: str | None
) -> None:
    portal.server.change = twisted(2, createdBy=maker)
    items = reader.read()
    notes = [note.message for note in of(items, Note) if note.scope == SCOPE]
    assert notes == ["1 template runs were begun by no user and made no component"]
    assert len(uses(reader)) == 1
    assert not of(reader.read(), Batch)


def test_the_version_of_a_template_is_what_it_says(portal: Portal, reader: Reader) -> None:
    metadata = {"annotations": {"backstage.io/template-version": "1.4.0"}}
    info = {"entityRef": "Template:Default/Service", "entity": {"metadata": metadata}}
    portal.server.change = twisted(1, spec={"templateInfo": info})
    reader.read()
    assert (uses(reader)[0].capability, uses(reader)[0].version) == ("template:default/service", "1.4.0")


def test_a_scaffolder_that_is_not_there_is_noted(portal: Portal, reader: Reader) -> None:
    portal.server.answers[PATH] = (404, {"error": {"name": "NotFoundError", "message": "Not found"}})
    items = reader.read()
    assert not of(items, Problem)
    assert [note.scope for note in of(items, Note)] == [SCOPE]
    assert scopes(items) == {"catalog", SCOPE}


def test_one_that_may_not_be_read_is_a_problem_of_its_own(portal: Portal, reader: Reader) -> None:
    portal.server.answers[PATH] = (403, {"error": {"name": "NotAllowedError", "message": "Unauthorized"}})
    items = reader.read()
    assert [problem.scope for problem in of(items, Problem)] == [SCOPE]
    assert scopes(items) == {"catalog"}


def test_a_long_history_is_gone_on_from_any_batch(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backstage_tasks, "_BATCH_SIZE", 4)
    portal.world.tasks = [
        task(number, at=number * 40, status="processing" if number == 2 else "failed")
        for number in range(1, 19)
    ]
    whole = Loaded()
    with serving(app(portal.world, token=None)) as url, Client(url) as client:
        tasks = Tasks(client, SCOPE, Context(Path("unused"), b"key").person)
        items = list(tasks.items(None))
        whole.load(items)
        assert len(of(items, Batch)) == 5
        assert len(whole.records) == 18
        for kept in range(len(items)):
            read = Loaded(items[:kept])
            news = list(tasks.items(read.cursors.get(SCOPE)))
            read.load(news)
            assert read.records == whole.records
            assert sum(len(batch.records) for batch in of(news, Batch)) <= 18 - 4 * kept
            assert not list(tasks.items(read.cursors[SCOPE]))
