"""The push API over HTTP, its data on a real disk."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate as validate_document
from starlette.routing import Route

from dashboards import events, openapi
from dashboards.rates import Rates
from pipelines import ingest, push, warehouse
from pipelines.home import Home
from tests.dashboards.conftest import get
from tests.serving import serving

SHA = "b" * 40
DEPLOYMENT = {
    "id": "d-1", "service": "shop", "environment": "production", "sha": SHA, "status": "success",
    "created_at": "2026-03-01T12:00:00Z", "finished_at": "2026-03-01T13:05:00+01:00",
}  # fmt: skip
COMMITS = [
    {"repository_url": f"https://git.acme.example/acme/{name}", "sha": sha}
    for name, sha in (("shop", SHA), ("cart", "c" * 40))
]
ROLLOUT = {key: value for key, value in DEPLOYMENT.items() if key != "sha"} | {"commits": COMMITS}
INCIDENT = {"id": "i-1", "service": "shop", "status": "open", "opened_at": "2026-03-01T12:00:00Z"}
ADOPTION = {
    "id": "a-1", "capability": "template:x", "subject_kind": "person", "subject": "Eve@acme.example",
    "happened_at": "2026-03-01T12:00:00Z",
}  # fmt: skip


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Api:
    """A client of the API with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = urlsplit(url)
        self.token = token

    def send(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Reply:
        """`body` is sent as it is where it is bytes or an iterator of them, else as JSON."""
        given = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            **(headers or {}),
        }
        is_raw = isinstance(body, bytes | Iterator)
        connection = HTTPConnection(self._url.netloc, timeout=30)
        try:
            connection.request(
                method,
                self._url.path + path,
                body if is_raw else json.dumps(body).encode(),  # type: ignore[arg-type]
                {name: value for name, value in given.items() if value},
                encode_chunked=isinstance(body, Iterator),
            )
            response = connection.getresponse()
            content = response.read()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, json.loads(content) if content else None)
        finally:
            connection.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    return Home.from_env()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with serving(events.build()) as url:
        yield url


@pytest.fixture
def api(home: Home, served: str) -> Api:
    return Api(served, push.new_token(home, "ci"))


def rows(home: Home, stream: str, columns: str = "id") -> list[tuple[Any, ...]]:
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, {})
        return connection.execute(f"select {columns} from raw.{stream} order by id").fetchall()


def is_problem(reply: Reply, status: int) -> bool:
    """Whether it refuses as described, and says nothing of what was sent."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.status, reply.body["status"], reply.body["type"]) == (status, status, "about:blank")
    assert reply.body["title"] == openapi.TITLES[status]
    OAS31Validator(openapi.PROBLEM).validate(reply.body)
    return bool(reply.body["detail"])


def test_events_are_accepted_and_loaded(api: Api, home: Home) -> None:
    assert api.send("/events/deployments", DEPLOYMENT)[::2] == (202, {"accepted": 1, "quarantined": 0})
    assert api.send("/events/incidents", [INCIDENT, INCIDENT | {"id": "i-2"}]).body["accepted"] == 2
    assert api.send("/events/adoption", ADOPTION).status == 202
    assert api.send("/events/deployments", []).status == 202
    times = "id, service, epoch(created_at), epoch(finished_at)"
    assert rows(home, "deployment", times) == [("d-1", "shop", 1772366400.0, 1772366700.0)]
    assert rows(home, "incident") == [("i-1",), ("i-2",)]
    ((person,),) = rows(home, "capability_use", "subject")
    assert person == push.context(home).person("eve@acme.example")


def test_a_deployment_of_several_repositories_is_one_rollout_of_them(api: Api, home: Home) -> None:
    running = without(ROLLOUT, "finished_at") | {"status": "running"}
    assert api.send("/events/deployments", running).body == {"accepted": 1, "quarantined": 0}
    sent = [ROLLOUT, DEPLOYMENT | {"id": "d-2"}]
    assert api.send("/events/deployments", sent).body == {"accepted": 2, "quarantined": 0}
    columns = "id, rollout, repository_url, sha, service, status"
    cart, shop = (each["repository_url"] for each in reversed(COMMITS))
    assert rows(home, "deployment", columns) == [
        ("d-1/1", "d-1", shop, SHA, "shop", "success"),
        ("d-1/2", "d-1", cart, "c" * 40, "shop", "success"),
        ("d-2", None, None, SHA, "shop", "success"),
    ]


def test_nothing_personal_lands(api: Api, home: Home) -> None:
    api.send("/events/adoption", ADOPTION)
    api.send("/events/deployments", DEPLOYMENT | {"ref": "eve/fix", "environment": "review/eve-fix"})
    api.send("/events/adoption", ADOPTION | {"happened_at": "Eve@acme.example"})
    kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file()).lower()
    assert b"eve@" not in kept
    assert b"eve/" not in kept
    assert b"eve-" not in kept
    assert api.token.encode().lower() not in kept


def test_the_same_event_at_the_same_time_is_one(api: Api, home: Home) -> None:
    replies: list[int] = []
    threads = [
        threading.Thread(target=lambda: replies.append(api.send("/events/deployments", DEPLOYMENT).status))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [202] * 50
    assert rows(home, "deployment") == [("d-1",)]


def test_what_is_accepted_outlives_a_kill(home: Home) -> None:
    token = push.new_token(home, "ci")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dashboards", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"CAIRN_HOME": str(home.root)})
    try:
        while get(f"http://127.0.0.1:{port}", "/healthz")[0] != 200:
            assert process.poll() is None
            time.sleep(0.05)
        api = Api(f"http://127.0.0.1:{port}/api/v1", token)
        assert api.send("/events/deployments", DEPLOYMENT).status == 202
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    assert rows(home, "deployment") == [("d-1",)]


# Who may send


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer cairn_wrong"},
        {"Authorization": "Basic Y2k6eA=="},
        {"Authorization": "", "X-Gitlab-Token": "cairn_wrong"},
        {"Authorization": "", "X-Hub-Signature-256": "sha256=00"},
        {"Authorization": "", "webhook-signature": "v1,AA==", "webhook-timestamp": "1", "webhook-id": "1"},
        {"Authorization": "Bearer ü"},
    ],
)
def test_wrong_and_missing_credentials_are_refused_alike(
    api: Api, home: Home, headers: dict[str, str]
) -> None:
    reply = api.send(
        "/events/deployments", DEPLOYMENT, {k: v.encode().decode("latin-1") for k, v in headers.items()}
    )
    assert is_problem(reply, 401)
    assert reply.body["detail"] == "The credentials are missing or wrong"
    assert reply.headers["www-authenticate"] == "Bearer"
    assert not (home.landing / "push").exists()


def test_credentials_are_asked_for_before_the_body_is_read(api: Api) -> None:
    broken = api.send(
        "/events/deployments", b"{", {"Authorization": "Bearer x", "Content-Type": "text/plain"}
    )
    assert is_problem(broken, 401)
    assert is_problem(api.send("/events/deployments", b"x" * (1 << 20), {"Authorization": ""}), 401)


def test_gitlabs_token_and_every_signature_open(api: Api, home: Home) -> None:
    github, gitlab = push.new_secret(home, "github"), push.new_secret(home, "gitlab")
    body = json.dumps(DEPLOYMENT).encode()
    at = str(int(time.time()))
    key = base64.b64decode(gitlab.removeprefix("whsec_"))
    made = base64.b64encode(hmac.new(key, f"1.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    by_github = hmac.new(github.encode(), body, hashlib.sha256).hexdigest()
    for headers in (
        {"X-Gitlab-Token": api.token},
        {"X-Hub-Signature-256": f"sha256={by_github}"},
        {"webhook-id": "1", "webhook-timestamp": at, "webhook-signature": f"v1,{made}"},
    ):
        assert api.send("/events/deployments", body, {"Authorization": "", **headers}).status == 202
        if "X-Gitlab-Token" not in headers:
            other = api.send("/events/deployments", body + b" ", {"Authorization": "", **headers})
            assert is_problem(other, 401)


def test_a_token_taken_back_opens_nothing(api: Api, home: Home) -> None:
    push.revoke(home, "ci")
    assert is_problem(api.send("/events/deployments", DEPLOYMENT), 401)


def test_too_many_requests_are_put_off(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PER_MINUTE", 3)
    first, second = push.new_token(home, "first"), push.new_token(home, "second")
    with serving(events.build()) as url:
        api = Api(f"{url}", first)
        assert [api.send("/events/incidents", INCIDENT).status for _ in range(4)] == [202, 202, 202, 429]
        put_off = api.send("/events/incidents", INCIDENT)
        assert is_problem(put_off, 429)
        assert 1 <= int(put_off.headers["retry-after"]) <= 20
        # Neither another sender nor whoever has no credentials takes of the first one's.
        assert Api(url, second).send("/events/incidents", INCIDENT).status == 202
        wrong = [
            Api(url, f"cairn_{number}").send("/events/incidents", INCIDENT).status for number in range(4)
        ]
        assert wrong == [401, 401, 401, 429]


def test_a_bucket_fills_steadily() -> None:
    now = 0.0
    rates = Rates(60, lambda: now)
    assert [rates.wait_seconds("a") for _ in range(61)] == [0] * 60 + [1]
    now = 10
    assert [rates.wait_seconds("a") for _ in range(11)] == [0] * 10 + [1]
    assert rates.wait_seconds("b") == 0
    now = 1000
    assert [rates.wait_seconds("a") for _ in range(61)] == [0] * 60 + [1]


# What may be sent


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_other_media_are_refused(api: Api, media_type: str) -> None:
    assert is_problem(api.send("/events/deployments", DEPLOYMENT, {"Content-Type": media_type}), 415)


def test_a_charset_may_be_named(api: Api) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert api.send("/events/deployments", DEPLOYMENT, headers).status == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(api: Api, method: str) -> None:
    reply = api.send("/events/deployments", DEPLOYMENT, method=method)
    assert is_problem(reply, 405)
    assert reply.headers["allow"] == "POST"


def test_other_paths_are_not_there(api: Api) -> None:
    assert is_problem(api.send("/events/people", DEPLOYMENT), 404)
    assert is_problem(api.send("/events/deployments/", DEPLOYMENT), 404)


def test_a_large_body_is_refused(api: Api, home: Home) -> None:
    large = json.dumps(
        [DEPLOYMENT | {"id": str(number), "ref": "x" * 150} for number in range(5000)]
    ).encode()
    assert len(large) > events.MOST_BYTES
    assert is_problem(api.send("/events/deployments", large), 413)
    assert is_problem(api.send("/events/deployments", iter([large])), 413)
    assert is_problem(api.send("/events/deployments", large * 8), 413)
    assert not (home.landing / "push").exists()


def test_a_large_body_in_chunks_is_refused_before_it_is_read(api: Api) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 1 << 16
            yield b" " * (1 << 16)

    # It may be answered, and closed, while it is still being sent.
    with suppress(BrokenPipeError, ConnectionResetError):
        assert is_problem(api.send("/events/deployments", endless()), 413)
    assert sent < 100 << 20


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"id": NaN}',
        b'{"id": Infinity}',
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b"\x00",
        b'{"id": 1}{"id": 2}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    assert is_problem(api.send("/events/deployments", body), 400)


def without(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("deployments", without(DEPLOYMENT, "id"), "#/id"),
        ("deployments", [DEPLOYMENT, without(DEPLOYMENT, "created_at")], "#/1/created_at"),
        ("deployments", DEPLOYMENT | {"deployer": "zeno"}, "#/deployer"),
        ("deployments", DEPLOYMENT | {"a/b~c": "zeno"}, "#/a~1b~0c"),
        ("deployments", DEPLOYMENT | {"id": ""}, "#/id"),
        ("deployments", DEPLOYMENT | {"id": 5}, "#/id"),
        ("deployments", DEPLOYMENT | {"id": None}, "#/id"),
        ("deployments", DEPLOYMENT | {"id": "x" * 201}, "#/id"),
        ("deployments", DEPLOYMENT | {"id": "a\x00b"}, "#/id"),
        ("deployments", DEPLOYMENT | {"environment": "a\nb"}, "#/environment"),
        ("deployments", DEPLOYMENT | {"sha": "abc"}, "#/sha"),
        ("deployments", DEPLOYMENT | {"status": "splendid"}, "#/status"),
        ("deployments", DEPLOYMENT | {"status": "running"}, "#"),
        ("deployments", without(DEPLOYMENT, "finished_at"), "#"),
        ("deployments", without(DEPLOYMENT, "service"), "#"),
        ("deployments", without(ROLLOUT, "service") | {"commits": None}, "#"),
        ("deployments", ROLLOUT | {"sha": SHA}, "#"),
        ("deployments", ROLLOUT | {"repository_url": "https://git.acme.example/acme/shop"}, "#"),
        ("deployments", ROLLOUT | {"commits": []}, "#/commits"),
        ("deployments", ROLLOUT | {"commits": COMMITS * 2}, "#/commits"),
        ("deployments", ROLLOUT | {"commits": "zeno"}, "#/commits"),
        ("deployments", ROLLOUT | {"commits": [COMMITS[0], without(COMMITS[1], "sha")]}, "#/commits/1/sha"),
        ("deployments", ROLLOUT | {"commits": [COMMITS[0] | {"ref": "zeno"}]}, "#/commits/0/ref"),
        ("deployments", DEPLOYMENT | {"created_at": "yesterday"}, "#/created_at"),
        ("deployments", DEPLOYMENT | {"created_at": 1772366400}, "#/created_at"),
        ("deployments", DEPLOYMENT | {"created_at": "2026-03-01T12:00:00"}, "#/created_at"),
        ("deployments", DEPLOYMENT | {"created_at": "0001-01-01T00:00:00Z"}, "#/created_at"),
        ("deployments", DEPLOYMENT | {"created_at": "9999-12-31T23:59:59-14:00"}, "#/created_at"),
        ("deployments", DEPLOYMENT | {"url": "javascript:alert(1)"}, "#/url"),
        ("deployments", DEPLOYMENT | {"url": "https://zeno:secret@host/"}, "#/url"),
        ("deployments", DEPLOYMENT | {"is_production": "yes"}, "#/is_production"),
        ("deployments", "text", "#"),
        ("deployments", None, "#"),
        ("deployments", [[]], "#/0"),
        ("incidents", INCIDENT | {"status": "resolved"}, "#"),
        ("incidents", INCIDENT | {"resolved_at": "2026-03-01T13:00:00Z"}, "#"),
        ("incidents", INCIDENT | {"change_number": 2**63}, "#/change_number"),
        ("incidents", INCIDENT | {"change_number": 0}, "#/change_number"),
        ("adoption", ADOPTION | {"subject_kind": "dog"}, "#/subject_kind"),
        ("adoption", without(ADOPTION, "subject"), "#/subject"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place_and_mend(
    api: Api, home: Home, path: str, body: object, pointer: str
) -> None:
    reply = api.send(f"/events/{path}", body)
    assert is_problem(reply, 422)
    (error,) = reply.body["errors"]
    assert error["pointer"] == pointer
    assert error["detail"]
    assert error["mend"]
    for value in ("zeno", "yesterday", "splendid", "secret"):
        assert value not in json.dumps(reply.body)
    assert not (home.landing / "push").exists()


def test_so_many_events_and_no_more(api: Api, home: Home) -> None:
    many = [INCIDENT | {"id": str(number)} for number in range(1001)]
    assert is_problem(api.send("/events/incidents", many), 422)
    assert api.send("/events/incidents", many[:1000]).status == 202
    assert len(rows(home, "incident")) == 1000


def test_a_full_disk_is_no_acceptance(api: Api, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(push, "accept", full)
    reply = api.send("/events/incidents", INCIDENT)
    assert is_problem(reply, 503)
    assert reply.headers["retry-after"] == "60"


# Webhooks


def test_githubs_webhooks(api: Api, home: Home) -> None:
    path = Path(__file__).parent.parent / "data" / "webhooks" / "github_deployment_status.json"
    payload = json.loads(path.read_text())
    event = {"X-GitHub-Event": "deployment_status"}
    assert api.send("/events/deployments", {"zen": "…"}, {"X-GitHub-Event": "ping"}).status == 202
    assert api.send("/events/deployments", payload, event).body["accepted"] == 1
    payload["deployment_status"] |= {"state": "success", "created_at": "2022-01-03T01:30:00Z"}
    api.send("/events/deployments", payload, event)
    payload["deployment_status"]["state"] = "inactive"
    assert api.send("/events/deployments", payload, event).body["accepted"] == 0
    assert rows(home, "deployment", "id, status, finished_at - started_at = interval 80 seconds") == [
        ("github.com/145988746", "success", True)
    ]
    assert is_problem(api.send("/events/deployments", payload, {"X-GitHub-Event": "push"}), 422)
    assert is_problem(api.send("/events/incidents", payload, event), 422)
    payload["deployment_status"]["state"] = "success"
    del payload["deployment"]["id"]
    spoilt = api.send("/events/deployments", payload, event)
    assert is_problem(spoilt, 422)
    assert spoilt.body["detail"] == "This is no such webhook: id is missing"


def test_gitlabs_webhooks(api: Api, home: Home) -> None:
    payload = {
        "object_kind": "deployment", "status": "success", "status_changed_at": "2026-03-01 13:02:00 +0100",
        "deployment_id": 15, "environment": "production", "environment_tier": "production", "ref": "v1.0.0",
        "project": {"web_url": "https://gitlab.example/acme/shop", "default_branch": "main"},
        "commit_url": f"https://gitlab.example/acme/shop/-/commit/{SHA}", "user": {"username": "eve"},
    }  # fmt: skip
    event = {"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Token": api.token, "Authorization": ""}
    assert api.send("/events/deployments", payload, event).status == 202
    assert rows(home, "deployment", "id, sha, ref") == [("gitlab.example/15", SHA, "v1.0.0")]
    assert is_problem(api.send("/events/deployments", [], event), 422)
    assert is_problem(api.send("/events/deployments", payload, event | {"X-Gitlab-Event": "Push Hook"}), 422)


def test_alertmanagers_webhooks(api: Api, home: Home) -> None:
    alert = {
        "status": "firing", "labels": {"alertname": "Down", "service": "shop", "severity": "page"},
        "annotations": {"summary": "Eve broke it"}, "startsAt": "2026-03-01T12:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "8c3c2e5c7c2b1a90",
    }  # fmt: skip
    payload = {"version": "4", "status": "firing", "receiver": "cairn", "alerts": [alert]}
    assert api.send("/events/incidents", payload).body == {"accepted": 1, "quarantined": 0}
    ended = alert | {"status": "resolved", "endsAt": "2026-03-01T12:30:00Z"}
    spoilt = alert | {"fingerprint": "0000000000000000", "startsAt": "soon"}
    reply = api.send("/events/incidents", payload | {"alerts": [ended, spoilt]})
    assert reply.body == {"accepted": 1, "quarantined": 1}
    ((service, status),) = rows(home, "incident", "service, status")
    assert (service, status) == ("shop", "resolved")
    assert is_problem(api.send("/events/incidents", payload | {"version": "3"}), 422)
    assert is_problem(api.send("/events/incidents", payload | {"alerts": {}}), 422)


# The description


def test_the_description_is_valid_and_agrees_with_the_routes(api: Api) -> None:
    reply = api.send("/openapi.json", method="GET", headers={"Authorization": ""})
    assert reply.status == 200
    validate_document(reply.body)
    described = {
        (method.upper(), path) for path, methods in reply.body["paths"].items() for method in methods
    }
    served = {
        (method, route.path)
        for route in events.build().routes
        if isinstance(route, Route)
        for method in (route.methods or ())
    }
    assert described | {("GET", "/openapi.json"), ("HEAD", "/openapi.json")} == served


def test_the_description_takes_what_the_api_takes(api: Api) -> None:
    document = api.send("/openapi.json", method="GET").body
    components = {"components": document["components"]}
    for name, event in (
        ("Deployment", DEPLOYMENT),
        ("Deployment", ROLLOUT),
        ("Incident", INCIDENT),
        ("Adoption", ADOPTION),
    ):
        schema = document["components"]["schemas"][f"{name}Event"]
        validator = OAS31Validator(schema | components)
        assert validator.is_valid(event)
        assert not validator.is_valid(event | {"more": 1})
        assert all("description" in each for each in schema["properties"].values())
    deployment = {"$ref": "#/components/schemas/DeploymentEvent", **components}
    assert not OAS31Validator(deployment).is_valid(ROLLOUT | {"commits": []})
    assert not OAS31Validator(deployment).is_valid(ROLLOUT | {"commits": [{"sha": SHA}]})
