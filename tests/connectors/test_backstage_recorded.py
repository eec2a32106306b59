"""What a real Backstage answered, replayed as it came, and read by the connector."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.backstage import BackstageConnector, BackstageOptions
from connectors.connector import Batch, Context, Note, Problem, Quarantined, SourceError
from connectors.records import CapabilityState, CapabilityUse, Identity, Membership, Service, Team
from tests.recorded import BOTH
from tests.serving import serving

R = TypeVar("R", Team, Membership, Identity, Service, CapabilityUse, CapabilityState)

CONTEXT = Context(Path("unused"), b"key")
DONE, FAILED = "38e7cabf-048d-4bc9-bbc1-d9505ce84fcc", "65a565b0-5105-4760-a558-ced943c616d1"


def loaded(recordings: Path, name: str) -> Any:
    file = recordings / "backstage" / f"{name}.json"
    if not file.exists():
        pytest.skip(f"no recordings of backstage in {recordings}")
    return json.loads(file.read_text())


def replaying(recordings: Path) -> Starlette:
    """The recorded walk, of which the pages between the first and the last two are missing."""
    first, middle, last = (
        loaded(recordings, name) for name in ("by_query_page1", "by_query_walk_p6", "by_query_walk_p7")
    )
    last["items"].append(loaded(recordings, "entity_svc-01"))
    pages = {None: first, first["pageInfo"]["nextCursor"]: middle, middle["pageInfo"]["nextCursor"]: last}
    tasks = loaded(recordings, "scaffolder_tasks_user_token")
    events = {DONE: "completed", FAILED: "failed"}

    async def entities(request: Request) -> Response:
        return JSONResponse(pages[request.query_params.get("cursor")])

    async def runs(request: Request) -> Response:
        return JSONResponse(tasks)

    async def happened(request: Request) -> Response:
        name = events.get(request.path_params["id"])
        return JSONResponse(loaded(recordings, f"scaffolder_task_events_{name}") if name else [])

    return Starlette(
        routes=[
            Route("/api/catalog/entities/by-query", entities),
            Route("/api/scaffolder/v2/tasks", runs),
            Route("/api/scaffolder/v2/tasks/{id}/events", happened),
        ]
    )


@BOTH
def test_every_recorded_entity_and_run_is_read(recordings: Path) -> None:
    with serving(replaying(recordings)) as url:
        options = BackstageOptions(url=url, labels=["platform.example/*"])
        items = list(BackstageConnector("backstage", options, CONTEXT).read({}))
    assert not [item for item in items if isinstance(item, Quarantined | Problem)]
    records = [record for item in items if isinstance(item, Batch) for record in item.records]

    def of(kind: type[R]) -> list[R]:
        return [record for record in records if isinstance(record, kind)]

    assert {team.id for team in of(Team)} == {"group:default/identity", "group:default/mobile"}
    users = {f"user{number:02}" for number in range(6, 20)}
    assert {each.person for each in of(Identity)} == {CONTEXT.person(user) for user in users}
    assert {each.alias for each in of(Identity)} == {
        CONTEXT.person(f"{user}@example.invalid") for user in users
    }
    # The groups name members of their own, whose entities are among the pages that are missing.
    assert CONTEXT.person("user03") in {each.person for each in of(Membership)}
    (service,) = of(Service)
    assert service == Service(
        id="component:default/svc-01",
        name="svc-01",
        team=None,
        system="discovery",
        kind="service",
        tier=None,
        lifecycle="production",
        repositories=("https://github.com/anchor/svc-01",),
        paths=(),
        aliases=(),
    )
    notes = [item.message for item in items if isinstance(item, Note)]
    assert any("group:default/search" in note for note in notes)
    shown = {state.capability for state in of(CapabilityState)}
    assert shown == {"template:default/python-service", "label:platform.example/golden-path"}
    runs = {use.id: use for use in of(CapabilityUse) if use.kind == "used"}
    assert (runs[DONE].result, runs[DONE].capability) == ("success", "template:default/static-site")
    assert runs[DONE].finished_at == datetime(2026, 11, 21, 1, 52, tzinfo=UTC)
    assert (runs[FAILED].result, runs[FAILED].subject) == ("failed", CONTEXT.person("user00"))
    assert len(runs) == 3


@BOTH
def test_a_recorded_refusal_is_told_in_its_words(recordings: Path) -> None:
    body = loaded(recordings, "unauthorized")
    refused = Starlette(routes=[Route("/{path:path}", lambda _: JSONResponse(body, 401))])
    with serving(refused) as url, pytest.raises(SourceError, match="Illegal token"):
        list(BackstageConnector("backstage", BackstageOptions(url=url, token="x"), CONTEXT).read({}))
