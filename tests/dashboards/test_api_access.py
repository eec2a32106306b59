"""Who may use the API, and what no other site learns of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards import api, viewer
from dashboards.api import access, monitoring
from dashboards.roles import Role
from pipelines import credentials
from pipelines.credentials import May
from pipelines.home import Home
from tests.dashboards import reading_api
from tests.dashboards.reading_api import Reader, app, publish, refused
from tests.serving import serving

home, reader = reading_api.home, reading_api.reader

AREAS = {May.metrics: "metrics", May.adoption: "adoption", May.surveys: "surveys", May.monitoring: "/metrics"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def name(request: pytest.FixtureRequest, home: Home) -> Iterator[str]:
    """Of a token of the test's own."""
    yield "bi"
    credentials.revoke(home, "bi")


@pytest.mark.parametrize("may", AREAS)
def test_a_token_opens_what_it_was_made_for_and_nothing_else(
    home: Home, reader: Reader, name: str, may: May
) -> None:
    headers = bearer(credentials.new_token(home, name, {may}))
    for area, path in AREAS.items():
        answer = reader.get(path, **headers)
        if area == may:
            assert answer.status == 200
        else:
            refused(answer, 403)
            assert f"opens {may} alone" in answer.body["detail"]
    refused(reader.get("events/incidents", method="POST", **headers), 403)


def test_a_token_that_sends_events_reads_nothing(home: Home, reader: Reader, name: str) -> None:
    headers = bearer(credentials.new_token(home, name, {May.events}))
    for path in AREAS.values():
        refused(reader.get(path, **headers), 403)


@pytest.mark.parametrize("path", AREAS.values())
def test_wrong_expired_and_revoked_tokens_are_refused_alike(
    home: Home, reader: Reader, name: str, path: str
) -> None:
    expired = credentials.new_token(home, "late", set(May), datetime.now(UTC) - timedelta(seconds=1))
    revoked = credentials.new_token(home, name, set(May))
    assert reader.get(path, **bearer(revoked)).status == 200
    credentials.revoke(home, name)
    answers = [reader.get(path, **bearer(each)) for each in (expired, revoked, "cairn_wrong", "")]
    credentials.revoke(home, "late")
    assert {answer.status for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.parametrize("path", AREAS.values())
def test_a_name_that_was_made_to_lead_here_reads_nothing(home: Home, reader: Reader, path: str) -> None:
    assert reader.get(path).status == 200
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "[::1", ""):
        refused(reader.get(path, Host=host, X_Cairn_Roles="admin"), 401)


def test_a_token_opens_under_any_name(home: Home, reader: Reader, name: str) -> None:
    headers = bearer(credentials.new_token(home, name, {May.metrics}))
    assert reader.get("metrics", Host="cairn.acme.example", **headers).status == 200


@pytest.mark.parametrize("path", [*AREAS.values(), "openapi.json"])
def test_no_other_site_reads_an_answer(reader: Reader, path: str) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for method in ("GET", "OPTIONS", "HEAD"):
        answer = reader.get(path, method=method, **asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    if path in {"metrics", "adoption", "surveys"}:
        assert reader.get(path).headers["cross-origin-resource-policy"] == "same-origin"
        assert reader.get(path).headers["x-content-type-options"] == "nosniff"
        assert reader.get(path).headers["cache-control"] == "private, no-cache"


def signed_in(roles: set[Role]) -> ASGIApp:
    """The API as the gate serves it to a session with these roles."""
    inner = Starlette(routes=[Mount("/api/v1", api.build()), Route("/metrics", monitoring.show)])

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        told = viewer.told(dict(scope), roles, is_signed_in=True) if scope["type"] == "http" else scope
        await inner(told, receive, send)

    return served


@pytest.mark.parametrize("role", Role)
def test_people_read_by_their_role_what_its_pages_show(home: Home, role: Role) -> None:
    with pytest.MonkeyPatch.context() as patch, serving(signed_in({role})) as url:
        patch.setenv("CAIRN_HOME", str(home.root))
        reader = Reader(url)
        assert {reader.get(path).status for path in ("metrics", "adoption", "surveys")} == {200}
        may_look_after = role in {Role.platform, Role.admin}
        assert reader.get("/metrics").status == (200 if may_look_after else 403)
        # A session is a browser's, and would be sent by other sites' forms, too.
        refused(reader.get("events/incidents", method="POST"), 401)
        refused(reader.get("metrics", **bearer("cairn_wrong")), 401)


def test_whoever_has_no_role_reads_nothing(home: Home) -> None:
    with serving(signed_in(set())) as url:
        for path in AREAS.values():
            refused(Reader(url).get(path), 401)


def test_too_many_requests_are_put_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    publish(home, "first")
    monkeypatch.setattr(access, "PER_MINUTE", 3)
    monkeypatch.setenv("CAIRN_HOME", str(home.root))
    token = credentials.new_token(home, "bi", {May.metrics})
    with serving(app()) as url:
        reader = Reader(url)
        assert [reader.get("metrics").status for _ in range(4)] == [200, 200, 200, 429]
        assert 1 <= int(reader.get("metrics").headers["retry-after"]) <= 20
        assert reader.get("metrics", **bearer(token)).status == 200
