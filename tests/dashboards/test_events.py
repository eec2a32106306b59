"""The push API over HTTP, its data on a real disk."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from openapi_schema_validator import OAS31Validator

from pipelines import credentials, push
from pipelines.credentials import May
from pipelines.home import Home
from tests.dashboards import events_api
from tests.dashboards.conftest import get
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

api, home, served = events_api.api, events_api.home, events_api.served


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
    token = credentials.new_token(home, "ci", {May.events})
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
