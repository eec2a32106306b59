"""What the push API refuses: credentials, media, sizes, and what does not fit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from dashboards import api as served_api
from dashboards.api import access, events
from dashboards.rates import Rates
from pipelines import credentials, push
from pipelines.credentials import May
from pipelines.home import Home
from tests.dashboards import events_api
from tests.dashboards.events_api import (
    ADOPTION,
    COMMITS,
    DEPLOYMENT,
    INCIDENT,
    ROLLOUT,
    SHA,
    Api,
    is_problem,
    rows,
    without,
)
from tests.serving import serving

api, home, served = events_api.api, events_api.home, events_api.served


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
    assert reply.body["detail"] == "The credentials are missing, wrong or expired"
    assert reply.headers["www-authenticate"] == "Bearer"
    assert not (home.landing / "push").exists()


def test_credentials_are_asked_for_before_the_body_is_read(api: Api) -> None:
    broken = api.send(
        "/events/deployments", b"{", {"Authorization": "Bearer x", "Content-Type": "text/plain"}
    )
    assert is_problem(broken, 401)
    assert is_problem(api.send("/events/deployments", b"x" * (1 << 20), {"Authorization": ""}), 401)


def test_gitlabs_token_and_every_signature_open(api: Api, home: Home) -> None:
    github, gitlab = credentials.new_secret(home, "github"), credentials.new_secret(home, "gitlab")
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
    credentials.revoke(home, "ci")
    assert is_problem(api.send("/events/deployments", DEPLOYMENT), 401)


def test_too_many_requests_are_put_off(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PER_MINUTE", 3)
    first, second = (credentials.new_token(home, name, {May.events}) for name in ("first", "second"))
    with serving(served_api.build()) as url:
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
