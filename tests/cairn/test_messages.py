"""Digest and alerts: to everybody who is to have them, once, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cairn import delivering, messages, outbox
from cairn.messages import MessageError
from cairn.outbox import OutboxError
from connectors.connector import Options
from pipelines.home import Home
from pipelines.message_settings import AlertsConfig, DigestConfig, GoalConfig
from pipelines.survey_settings import SmtpConfig, SurveysConfig
from pipelines.workspace import SourceConfig, Workspace
from surveys.delivery.mail import send
from tests.dashboards import report_tables
from tests.dashboards.report_tables import figure, level
from tests.serving import serving
from tests.surveys.mailbox import Mailbox

NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
TO = ("lead@acme.example", "Chiefs <chiefs@acme.example>")


class Slack:
    """A webhook that keeps what it is told, and answers as it is set to."""

    def __init__(self) -> None:
        self.status = 200
        self.texts: list[str] = []
        self.url = ""

    async def told(self, request: Request) -> Response:
        if self.status == 200:
            self.texts.append((await request.json())["text"])
        return Response("no_service" if self.status != 200 else "ok", self.status)


@pytest.fixture(scope="module")
def served() -> Iterator[Slack]:
    slack = Slack()
    app = Starlette(routes=[Route("/{path:path}", slack.told, methods=["POST"])])
    with serving(app) as url:
        slack.url = f"{url}/T0/B0/s3cr3t"
        yield slack


@pytest.fixture
def slack(served: Slack) -> Slack:
    served.status, served.texts = 200, []
    return served


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot in which lead time doubled in October."""
    folder = tmp_path_factory.mktemp("published")
    amend = figure("change_lead_time", 72_000, 68_400, 75_600) + level(
        "ci_duration_p50", "2026-10-12", 60, 90
    )
    report_tables.publish(Home(folder), "first", amend)
    return folder


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Home:
    """A home of its own with that snapshot."""
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.published.symlink_to(published / "published")
    return home


def workspace(box: Mailbox | None, **settings: Any) -> Workspace:
    mail: dict[str, Any] = {}
    if box:
        smtp = SmtpConfig(host="127.0.0.1", port=box.port, tls="none")
        mail = {
            "public_url": "https://cairn.acme.example",
            "from_address": "Cairn <cairn@acme.example>",
            "smtp": smtp,
        }
    return Workspace(
        organisation="Acme",
        timezone="Europe/Berlin",
        sources=(SourceConfig(kind="git", name="git", options=Options()),),
        surveys=SurveysConfig(**mail),
        **settings,
    )


def digest(slack: Slack) -> DigestConfig:
    return DigestConfig(to=TO, slack_webhook=SecretStr(slack.url))


def alerts(slack: Slack, **settings: Any) -> AlertsConfig:
    return AlertsConfig(slack_webhook=SecretStr(slack.url), **settings)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox() as opened:
        yield opened


def test_a_digest_goes_to_all_once(home: Home, slack: Slack, box: Mailbox) -> None:
    acme, said = workspace(box, digest=digest(slack)), list[str]()
    assert messages.digest(home, acme, NOW, said.append)
    assert messages.digest(home, acme, NOW + timedelta(days=9), said.append)
    assert box.addresses == ["lead@acme.example", "chiefs@acme.example"]
    assert len(slack.texts) == 1
    assert said == ["The digest of Oct 2026 goes out.", "The digest of Oct 2026 was sent before."]
    mail = box.messages[0]
    assert mail["Subject"] == "Acme: Software delivery, Oct 2026"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "cairn-report-2026-10.pdf"
    assert attached.get_content().startswith(b"%PDF-")
    body = mail.get_body(("plain",))
    assert body
    for text in (body.get_content(), slack.texts[0]):
        assert "Change lead time: 10 h → 20 h (delivery, worse)" in text
    assert "https://cairn.acme.example/report?report-by=Month&report-month=Oct+2026" in body.get_content()
    # No address is kept.
    assert "acme.example" not in home.messages.read_text()


def test_what_a_crash_left_unsent_is_sent_and_nothing_twice(
    home: Home, slack: Slack, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = workspace(box, digest=digest(slack))

    def dying(*arguments: Any) -> Iterator[Any]:
        yield next(iter(send(*arguments)))
        raise KeyboardInterrupt

    monkeypatch.setattr(delivering, "send", dying)
    with pytest.raises(KeyboardInterrupt):
        messages.digest(home, acme, NOW, print)
    assert len(box.messages) == len(slack.texts) == 1
    monkeypatch.setattr(delivering, "send", send)
    assert messages.digest(home, acme, NOW, print)
    assert box.addresses == ["lead@acme.example", "chiefs@acme.example"]
    assert len(slack.texts) == 1
    assert len({str(mail["Message-ID"]) for mail in box.messages}) == 2


def test_a_mail_whose_note_was_lost_has_the_same_id_again(
    home: Home, slack: Slack, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = workspace(box, digest=DigestConfig(to=TO[:1]))
    save, saves = outbox.Outbox.save, list[int]()

    def lost(self: outbox.Outbox) -> None:
        saves.append(1)
        if len(saves) == 2:
            raise OSError("disk full")
        save(self)

    monkeypatch.setattr(outbox.Outbox, "save", lost)
    with pytest.raises(OSError, match="disk full"):
        messages.digest(home, acme, NOW, print)
    assert messages.digest(home, acme, NOW, print)
    first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"]


def test_of_two_runs_at_once_one_sends(home: Home, slack: Slack) -> None:
    acme = workspace(None, digest=DigestConfig(slack_webhook=SecretStr(slack.url)))
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(messages.digest, home, acme, NOW, print) for _ in range(2)]
        assert [each.result() for each in both] == [True, True]
    assert len(slack.texts) == 1


def test_what_slack_refuses_is_said_without_its_address_and_tried_again(
    home: Home, slack: Slack, box: Mailbox
) -> None:
    acme, said = workspace(box, digest=digest(slack)), list[str]()
    slack.status = 404
    assert not messages.digest(home, acme, NOW, said.append)
    assert said[-1].startswith("Slack: ")
    assert "s3cr3t" not in "".join(said)
    slack.status = 200
    assert messages.digest(home, acme, NOW, said.append)
    assert (len(box.messages), len(slack.texts)) == (2, 1)


def test_what_nobody_takes_in_a_week_is_given_up(home: Home, slack: Slack, box: Mailbox) -> None:
    acme, said = workspace(box, digest=digest(slack)), list[str]()
    slack.status = 404
    messages.digest(home, acme, NOW, said.append)
    assert not messages.digest(home, acme, NOW + timedelta(days=8), said.append)
    assert said[-1] == "Given up after 7 days: Acme: Software delivery, Oct 2026"
    assert messages.digest(home, acme, NOW + timedelta(days=8), said.append)


def test_a_refused_address_is_named_and_not_tried_again_a_deferred_one_is(home: Home, slack: Slack) -> None:
    answers = {"lead@acme.example": "550 no such user", "chiefs@acme.example": "450 later"}
    said = list[str]()
    with Mailbox(on_recipient=answers.get) as box:
        acme = workspace(box, digest=DigestConfig(to=TO))
        assert not messages.digest(home, acme, NOW, said.append)
        assert "refuses lead@acme.example (550)" in said[1]
        assert "puts chiefs@acme.example off (450)" in said[2]
        answers.clear()
        assert messages.digest(home, acme, NOW, said.append)
        assert box.addresses == ["chiefs@acme.example"]


def test_a_digest_waits_for_its_period_but_not_for_ever(
    home: Home, slack: Slack, box: Mailbox, tmp_path: Path
) -> None:
    late = Home(tmp_path / "late")
    amend = "update marts.change_fail_rate set partial = true where period_start >= date '2026-10-01';"
    report_tables.publish(late, "late", amend)
    acme, said = workspace(box, digest=digest(slack)), list[str]()
    assert messages.digest(late, acme, datetime(2026, 11, 7, 12, tzinfo=UTC), said.append)
    assert said == ["Oct 2026 is not read to its end yet: its digest waits."]
    assert slack.texts == []
    messages.digest(late, acme, datetime(2026, 11, 8, 12, tzinfo=UTC), said.append)
    assert "Oct 2026 is not covered to its end for Change fail rate" in slack.texts[0]


def test_dry_runs_print_and_change_nothing(home: Home, slack: Slack, box: Mailbox) -> None:
    acme, said = workspace(box), list[str]()
    before = sorted(path.name for path in home.root.iterdir())
    assert messages.digest(home, acme, NOW, said.append, is_dry=True)
    assert messages.alerts(home, acme, NOW, said.append, is_dry=True)
    assert said[0].startswith("Software delivery, Oct 2026\nAcme, data read until ")
    assert said[1].startswith("New level: ")
    assert sorted(path.name for path in home.root.iterdir()) == before
    assert slack.texts == []


def test_without_settings_or_data_it_is_said_what_to_do(
    home: Home, slack: Slack, box: Mailbox, tmp_path: Path
) -> None:
    acme = workspace(box)
    for function in (messages.digest, messages.alerts):
        with pytest.raises(MessageError, match=r"docs/reports\.md"):
            function(home, acme, NOW, print)
        with pytest.raises(MessageError, match="run `cairn sync`"):
            function(Home(tmp_path / "empty"), acme, NOW, print)
    home.messages.write_text("{")
    with pytest.raises(OutboxError, match="Move it away"):
        messages.alerts(home, workspace(box, alerts=alerts(slack)), NOW, print)


GOAL = GoalConfig(metric="change_lead_time", at_most="12h")


def test_an_alert_is_told_when_it_begins_and_when_it_ends(
    home: Home, slack: Slack, box: Mailbox, tmp_path: Path
) -> None:
    acme = workspace(box, alerts=alerts(slack, changes="none"), goals=(GOAL,))
    for _ in range(2):
        assert messages.alerts(home, acme, NOW, print)
    (begun,) = slack.texts
    assert begun.startswith(
        "Goal missed: Change lead time of all services was 20 h in Oct 2026 (90 % interval 19 – 21 h, n = 6),"
        " and is to be at most 12 h."
    )
    better = Home(tmp_path / "better")
    report_tables.publish(better, "open", figure("change_lead_time", 43_000, 40_000, 50_000))
    better.messages.write_bytes(home.messages.read_bytes())
    assert messages.alerts(better, acme, NOW, print)
    assert len(slack.texts) == 1
    report_tables.publish(better, "met")
    for _ in range(2):
        assert messages.alerts(better, acme, NOW, print)
    assert slack.texts[1].startswith("Goal met: Change lead time of all services was 10 h in Oct 2026")
    assert len(slack.texts) == 2


def test_more_than_so_many_wait_for_the_next_day(home: Home, slack: Slack, box: Mailbox) -> None:
    goals = tuple(GoalConfig(metric="rework_rate", at_least=share) for share in (0.5, 0.6, 0.7))
    acme = workspace(box, alerts=alerts(slack, most_per_day=2), goals=goals)
    for hours in (0, 1, 24):
        assert messages.alerts(home, acme, NOW + timedelta(hours=hours), print)
    assert [text.count(" missed: ") + text.count("New level: ") for text in slack.texts] == [2, 2]
    # Local days: in Berlin it is tomorrow already.
    assert outbox.read(home).day == date(2026, 11, 13)


def test_names_are_inert_in_slack(slack: Slack, box: Mailbox, tmp_path: Path) -> None:
    home = Home(tmp_path / "hostile")
    amend = "update marts.metric_definition set title = '<!channel> & co' where metric = 'change_lead_time';"
    report_tables.publish(home, "hostile", amend + figure("change_lead_time", 72_000, 68_400, 75_600))
    acme = workspace(box, alerts=alerts(slack), goals=(GOAL,))
    assert messages.alerts(home, acme, NOW, print)
    assert slack.texts[0].startswith("Goal missed: &lt;!channel&gt; &amp; co of all services")


def test_both_are_due_when_there_is_a_new_snapshot(home: Home, slack: Slack, box: Mailbox) -> None:
    acme = workspace(box, digest=digest(slack), alerts=alerts(slack))
    assert messages.is_due(home)
    slack.status = 404
    assert not messages.send(home, acme, NOW, print)
    assert messages.is_due(home)
    slack.status = 200
    assert messages.send(home, acme, NOW, print)
    assert len(slack.texts) == 2
    assert not messages.is_due(home)
    assert json.loads(home.messages.read_text())["snapshot"] == "first"
