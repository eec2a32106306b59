"""Push: credentials that show nowhere, and events that are kept once they are accepted."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Context, Quarantined
from connectors.records import CapabilityUse, Deployment, Incident
from connectors.webhooks import followed, github_deployment, gitlab_deployment
from pipelines import ingest, landing, push, warehouse
from pipelines.home import Home

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHA = "a" * 40


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def deployment(id_: str = "1", **changed: Any) -> Deployment:
    made = Deployment(
        id_, None, "https://github.example/acme/shop", None, "production", None, SHA, "main", "success",
        NOON, None, NOON + MINUTE, None,
    )  # fmt: skip
    return made._replace(**changed)


def loaded(home: Home, stream: str = "deployment") -> list[dict[str, Any]]:
    """Rows of `raw.*` after a load."""
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, push.outcome(home, NOON))
        rows = connection.execute(f"select * from raw.{stream} order by id").fetchall()
        names = [column[0] for column in connection.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


# Acceptance


def test_what_is_accepted_is_loaded_as_the_source_push(home: Home) -> None:
    push.accept(home, "deployments", [deployment("1"), deployment("2")])
    push.accept(home, "incidents", [_incident("7")])
    push.accept(home, "adoption", [_use("9")])
    rows = loaded(home)
    assert [(row["source"], row["scope"], row["id"]) for row in rows] == [
        ("push", "deployments", "1"), ("push", "deployments", "2"),
    ]  # fmt: skip
    assert [(row["scope"], row["id"]) for row in loaded(home, "incident")] == [("incidents", "7")]
    assert [(row["scope"], row["id"]) for row in loaded(home, "capability_use")] == [("adoption", "9")]
    assert list(landing.landed(home.landing)) == []


def test_later_loads_without_events_remove_nothing(home: Home) -> None:
    push.accept(home, "deployments", [deployment()])
    assert len(loaded(home)) == 1
    assert len(loaded(home)) == 1
    with warehouse.writing(home) as connection:
        covered = connection.execute("select source, scope from raw.coverage order by all").fetchall()
    assert covered == [("push", "adoption"), ("push", "deployments"), ("push", "incidents")]


def test_nothing_is_covered_while_nothing_was_pushed(home: Home) -> None:
    assert push.outcome(home, NOON) == {}


def test_what_is_sent_again_updates(home: Home) -> None:
    push.accept(home, "deployments", [deployment(status="running", finished_at=None)])
    push.accept(home, "deployments", [deployment(), deployment(environment="staging")])
    push.accept(home, "deployments", [deployment("2")])
    assert [(row["id"], row["environment"]) for row in loaded(home)] == [
        ("1", "staging"),
        ("2", "production"),
    ]
    push.accept(home, "deployments", [deployment(environment="live")])
    assert _environments(home) == {"1": "live", "2": "production"}


def test_what_does_not_fit_is_quarantined(home: Home) -> None:
    push.accept(home, "incidents", [_incident("7")], [Quarantined("incident", "incidents", "8", "no time")])
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, {})
        assert connection.execute("select source, stream, id from raw.quarantine").fetchall() == [
            ("push", "incident", "8")
        ]


def test_a_writer_does_not_clear_away_what_another_is_writing(home: Home) -> None:
    push.accept(home, "deployments", [deployment()])
    beginning = home.landing / "push" / "0123456789abcdef.tmp"
    beginning.write_bytes(b"PAR1")
    push._landing.cache_clear()
    push.accept(home, "deployments", [deployment()])
    assert beginning.exists()


def _accept_some(home: Home, first: int) -> None:
    for number in range(first, first + 25):
        push.accept(home, "deployments", [deployment(str(number)), deployment("same", ref=str(number))])


def test_many_processes_accept_at_once_without_loss(home: Home) -> None:
    processes = multiprocessing.get_context("forkserver")
    writers = [processes.Process(target=_accept_some, args=(home, 100 * n)) for n in range(1, 5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert len(list(landing.landed(home.landing))) == 100
    ids = [row["id"] for row in loaded(home)]
    assert ids == [*(str(100 * n + each) for n in range(1, 5) for each in range(25)), "same"]


# Webhooks: one moment each


def github(state: str, after: int, **changed: Any) -> Deployment | None:
    payload = {
        "deployment": {
            "id": 42, "sha": SHA, "ref": "main", "environment": "production", "created_at": NOON.isoformat(),
            "creator": {"login": "eve"}, "description": "by eve", **changed,
        },
        "deployment_status": {"state": state, "created_at": str(NOON + after * MINUTE), "log_url": ""},
        "repository": {"html_url": "https://github.example/acme/shop", "default_branch": "main"},
        "sender": {"login": "eve"},
    }  # fmt: skip
    return github_deployment(payload, _context())


def _context() -> Context:
    return Context(Path(), b"key")


def test_a_github_webhook_is_a_deployment() -> None:
    made = github("success", 2)
    assert made == Deployment(
        id="github.example/42",
        repository=None,
        repository_url="https://github.example/acme/shop",
        service=None,
        environment="production",
        is_production=None,
        sha=SHA,
        ref="main",
        status="success",
        created_at=NOON,
        started_at=None,
        finished_at=NOON + 2 * MINUTE,
        url="https://github.example/acme/shop/deployments/production",
    )
    assert "eve" not in str(made)


@pytest.mark.parametrize(
    ("state", "status", "is_over"),
    [
        ("pending", "running", False),
        ("queued", "running", False),
        ("waiting", "running", False),
        ("in_progress", "running", False),
        ("failure", "failed", True),
        ("error", "failed", True),
        ("success", "success", True),
    ],
)
def test_githubs_states(state: str, status: str, is_over: bool) -> None:
    made = github(state, 3)
    assert made
    assert (made.status, made.finished_at) == (status, NOON + 3 * MINUTE if is_over else None)
    assert made.started_at == (NOON + 3 * MINUTE if state == "in_progress" else None)


def test_inactive_is_no_news() -> None:
    assert github("inactive", 9) is None


def test_what_may_be_personal_is_masked() -> None:
    made = github("success", 1, ref="eve/fix", environment="review/eve-fix")
    assert made
    assert (made.ref or "").startswith("~")
    assert made.environment == "review/*"
    assert "eve" not in str(made)
    by_sha = github("success", 1, ref=SHA)
    assert by_sha
    assert by_sha.ref is None


GITLAB = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2026-03-01 13:02:00 +0100",
    "deployment_id": 15,
    "deployable_id": 796,
    "deployable_url": "https://gitlab.example/acme/shop/-/jobs/796",
    "environment": "production",
    "environment_tier": "production",
    "project": {"id": 30, "web_url": "https://gitlab.example/acme/shop", "default_branch": "main"},
    "short_sha": "aaaaaaaa",
    "user": {"name": "Eve", "username": "eve"},
    "commit_url": f"https://gitlab.example/acme/shop/-/commit/{SHA}",
    "commit_title": "By Eve",
    "ref": "v1.0.0",
}


@pytest.mark.parametrize(
    "at", ["2026-03-01 13:02:00 +0100", "2026-03-01 12:02:00 UTC", "2026-03-01T12:02:00Z"]
)
def test_a_gitlab_webhook_is_a_deployment(at: str) -> None:
    made = gitlab_deployment({**GITLAB, "status_changed_at": at}, _context())
    assert made == Deployment(
        id="gitlab.example/15",
        repository=None,
        repository_url="https://gitlab.example/acme/shop",
        service=None,
        environment="production",
        is_production=True,
        sha=SHA,
        ref="v1.0.0",
        status="success",
        created_at=NOON + 2 * MINUTE,
        started_at=None,
        finished_at=NOON + 2 * MINUTE,
        url="https://gitlab.example/acme/shop/-/jobs/796",
    )


def test_gitlabs_states() -> None:
    made = {
        status: gitlab_deployment({**GITLAB, "status": status}, _context())
        for status in (
            "created",
            "blocked",
            "running",
            "failed",
            "canceled",
            "skipped",
            "approved",
            "rejected",
        )
    }
    assert {status: each and each.status for status, each in made.items()} == {
        "created": "running", "blocked": "running", "running": "running", "failed": "failed",
        "canceled": "cancelled", "skipped": "skipped", "approved": None, "rejected": None,
    }  # fmt: skip


def course(*events: Deployment | None) -> tuple[str, datetime | None, datetime | None]:
    known: Deployment | None = None
    for event in events:
        assert event
        known = followed(known, event) if known else event
    assert known
    return known.status, known.started_at, known.finished_at


def test_moments_are_put_together_in_whatever_order_they_come() -> None:
    queued, begun, done = github("queued", 0), github("in_progress", 1), github("success", 5)
    whole = ("success", NOON + MINUTE, NOON + 5 * MINUTE)
    assert course(queued, begun, done) == whole
    assert course(done, begun, queued) == whole
    assert course(begun, done, queued) == whole
    assert course(begun, done, github("success", 9)) == whole
    assert course(begun, done, github("failure", 9)) == whole
    assert course(begun, done, done, begun) == whole


def test_what_failed_may_start_again() -> None:
    failed = course(github("in_progress", 1), github("failure", 5))
    assert failed == ("failed", NOON + MINUTE, NOON + 5 * MINUTE)
    late = course(github("failure", 5), github("in_progress", 1), github("queued", 0))
    assert late == failed
    again = course(
        github("in_progress", 1), github("failure", 5), github("in_progress", 7), github("success", 9)
    )
    assert again == ("success", NOON + 7 * MINUTE, NOON + 9 * MINUTE)


def test_moments_are_put_together_over_loads_and_processes(home: Home) -> None:
    for event in (github("queued", 0), github("in_progress", 1)):
        assert event
        push.accept_webhook(home, event)
    (row,) = loaded(home)
    assert row["status"] == "running"
    push._landing.cache_clear()
    done = github("success", 5)
    assert done
    push.accept_webhook(home, done)
    (row,) = loaded(home)
    assert (row["status"], row["started_at"], row["finished_at"]) == (
        "success", NOON + MINUTE, NOON + 5 * MINUTE,
    )  # fmt: skip
    assert (home.root / "push.db").stat().st_mode & 0o777 == 0o600


def _environments(home: Home) -> dict[str, str]:
    return {row["id"]: row["environment"] for row in loaded(home)}


def _incident(id_: str) -> Incident:
    return Incident(id_, "shop", None, "sev1", "open", NOON, None, None, None, None, None, None)


def _use(id_: str) -> CapabilityUse:
    return CapabilityUse(id_, "template:x", "service", "shop", NOON, "used", None, None, None, None)


def test_githubs_own_example_is_understood() -> None:
    path = Path(__file__).parent.parent / "data" / "webhooks" / "github_deployment_status.json"
    made = github_deployment(json.loads(path.read_text()), _context())
    assert made
    assert (made.id, made.status, made.environment) == ("github.com/145988746", "running", "github-pages")
    assert made.started_at == datetime(2022, 1, 3, 1, 28, 40, tzinfo=UTC)


def test_the_key_of_persons_is_the_homes(home: Home) -> None:
    known = Context(Path(), home.identity_key())
    assert push.context(home).person("Eve ") == known.person("eve")
