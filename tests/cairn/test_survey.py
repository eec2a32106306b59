"""`cairn survey`, from the roster to the released results, as whoever runs it types it."""

from __future__ import annotations

import csv
import json
import re
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from cairn.cli import app
from pipelines import surveys
from pipelines.home import Home
from pipelines.workspace import Workspace
from surveys.store import Store
from tests.serving import serving
from tests.surveys.mailbox import Mailbox

Cli = Callable[..., Result]
TEAMS = {"Web": 12, "Pay": 12, "Duo": 2}
HEADINGS = ["by", "group", "part of"]


class Clock:
    """The store's time, which a test moves."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return wound(monkeypatch)


def wound(patch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()

    def open_store(home: Home, workspace: Workspace) -> Store:
        home.create()
        return Store(surveys.address(home, workspace), home.survey_keys, clock=clock)

    patch.setattr(surveys, "open_store", open_store)
    return clock


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a roster."""
    return furnished(tmp_path, monkeypatch)


def furnished(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    patch.chdir(folder)
    for name in ("CAIRN_HOME", "CAIRN_WORKSPACE"):
        patch.delenv(name, raising=False)
    people = [(team, f"{team}{number}") for team, size in TEAMS.items() for number in range(size)]
    rows = [f"{person}@acme.example,{team},Person {person}" for team, person in people]
    (folder / "roster.csv").write_text("\n".join(["address,team,name", *rows]).lower() + "\n")
    configure(folder)
    return folder


def configure(folder: Path, more: str = "") -> None:
    (folder / "cairn.yaml").write_text(
        "organisation: Acme\nsources: [{kind: git, repositories: [./x.git]}]\n"
        f"surveys:\n  roster: {{file: roster.csv}}\n{more}"
    )


def with_mail(folder: Path, box: Mailbox, more: str = "") -> None:
    configure(
        folder,
        "  public_url: https://cairn.acme.example\n  from_address: platform@acme.example\n"
        f"  smtp: {{host: 127.0.0.1, port: {box.port}, tls: none}}\n{more}",
    )


def cairn(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["survey", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def on_a_line(result: Result) -> str:
    return " ".join(result.output.split())


def sent_tokens(box: Mailbox) -> list[str]:
    """Of the mails' links, in the order in which the mails came."""
    link = re.compile(r"^ *https://cairn\.acme\.example/pulse/([\w-]{43})\r?$", re.MULTILINE)
    found = [link.findall(message.get_content()) for message in box.messages]
    assert all(len(set(each)) == 1 for each in found)
    return [each[0] for each in found]


def links(folder: Path, name: str = "links.csv") -> list[dict[str, str]]:
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def answer(folder: Path, many: list[dict[str, str]], comment: str = "") -> None:
    with Store(f"sqlite:///{folder}/.cairn/surveys.db", folder / ".cairn" / "surveys" / "keys") as store:
        for number, row in enumerate(many):
            answers: dict[str, JsonValue] = {"satisfaction-overall": 2 + number % 4}
            answers |= {"docs-find": 1 + number % 5, **({"improve-one": comment} if comment else {})}
            assert store.submit(row["link"].rpartition("/")[2], answers)


@pytest.fixture(scope="module")
def closed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wave `one` that 24 of 26 answered, closed."""
    with pytest.MonkeyPatch.context() as patch:
        folder = furnished(tmp_path_factory.mktemp("closed"), patch)
        clock = wound(patch)
        cairn("open", "one")
        cairn("invite", "one", "--links", "links.csv")
        teams = [row for row in links(folder) if row["team"] != "duo"]
        answer(folder, teams, "Ask Person Web1, =1+1, a@b.example")
        clock.ahead = timedelta(days=17)
        assert "24 of 26 answered" in cairn("close", "one").output
    return folder


@pytest.fixture
def closed(closed_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    return furnished(shutil.copytree(closed_once, tmp_path / "copy"), monkeypatch)


def test_from_the_roster_to_the_link_list(folder: Path, clock: Clock) -> None:
    said = cairn("open", "one", "--dry-run").output
    assert "26 people of 3 team(s) would be asked" in said
    assert json.loads(cairn("status", "--format", "json").stdout) == []
    assert "26 people of 3 team(s) asked" in cairn("open", "one").output
    assert "Wrote 26 link(s)" in cairn("invite", "one", "--links", "links.csv").output
    assert stat.S_IMODE((folder / "links.csv").stat().st_mode) == 0o600
    rows = links(folder)
    assert len({row["link"] for row in rows}) == 26
    assert {row["address"] for row in rows} >= {"web0@acme.example", "duo1@acme.example"}
    assert all(re.fullmatch(r"http://127\.0\.0\.1:8501/pulse/[\w-]{43}", row["link"]) for row in rows)
    # The same link whenever asked, and none that is used.
    answer(folder, rows[:1])
    assert "is there already" in cairn("remind", "one", "--links", "links.csv", code=1).output
    cairn("remind", "one", "--links", "again.csv")
    assert links(folder, "again.csv") == rows[1:]


def test_no_address_and_no_name_is_kept(closed: Path) -> None:
    text = b"".join(path.read_bytes() for path in (closed / ".cairn").rglob("*") if path.is_file())
    for person in ("web0@acme", "person web", "duo1"):
        assert person.encode() not in text.lower().replace(b"ask person web1", b"")


def test_status_is_of_groups_and_coarse(folder: Path, clock: Clock) -> None:
    cairn("open", "one")
    cairn("invite", "one", "--links", "links.csv")
    answer(folder, [row for row in links(folder) if row["team"] == "web"])
    (row,) = json.loads(cairn("status", "--format", "json").stdout)
    assert (row["wave"], row["state"], row["invited"], row["answered"]) == ("one", "collecting", 26, 12)
    teams = json.loads(cairn("status", "one", "--format", "json").stdout)
    assert [(team["group"], team["invited"], team["band"]) for team in teams] == [
        ("pay", 12, "up to 25 %"),
        ("web", 12, "75 % and more"),
    ]


def test_results_are_of_groups_large_enough(closed: Path) -> None:
    rows = json.loads(cairn("results", "one", "--format", "json").stdout)
    top = {row["group"]: row for row in rows if (row["item_id"], row["statistic"]) == ("docs-find", "top2")}
    assert (top[""]["status"], top[""]["n"]) == ("ok", 24)
    assert (top["duo"]["value"], top["duo"]["n"]) == (None, None)
    assert "24" in cairn("results", "one").stdout
    (row,) = json.loads(cairn("status", "--format", "json").stdout)
    assert row["state"] == "released"


def test_an_export_is_inert_and_scrubbed(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cairn("export", "one", "--to", "out")
    with (closed / "out" / "one-results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == HEADINGS
    assert rows[1][1] == "(everybody)"
    (duo,) = [row for row in rows if row[1] == "duo"]
    assert set(duo[3:]) <= {"withheld", "no data", ""}
    comments = (closed / "out" / "one-comments.csv").read_text("utf-8-sig")
    assert comments.count("[name], =1+1, [mail]") == 24
    assert "web1" not in comments.lower()


def test_headings_are_inert_too(capsys: pytest.CaptureFixture[str]) -> None:
    from cairn.rows import write_csv

    out = StringIO()
    write_csv([{"=SUM(A1)": "@x", "plain": -1, "+1": "ok"}], out)
    assert out.getvalue() == "'=SUM(A1),plain,'+1\n'@x,-1,ok\n"


def test_what_was_done_is_kept_and_published_later(closed: Path) -> None:
    words = ("--theme", "documentation", "--said", "Nobody finds it.", "--did", "We made an index.")
    assert "Kept as action" in cairn("act", "one", *words).output
    cairn("act", "one", *words, "--state", "maybe", code=2)
    assert "no wave" in cairn("act", "two", *words, code=1).output


def test_a_purge_is_asked_for_twice_and_never_too_early(closed: Path, clock: Clock) -> None:
    assert "would be asked again too soon" in cairn("purge", "one", "--yes", code=1).output


def test_nobody_is_asked_twice_in_eight_weeks(closed: Path) -> None:
    assert "Nobody can be asked: all 26 people" in cairn("open", "two", code=1).output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("open", "No such name!"), 2, "at most 40"),
        (("open", "one", "--until", "2020-01-01"), 2, "is over"),
        (("open", "one", "--until", "tomorrow"), 2, "Invalid value"),
        (("open", "one", "--instrument", "puls"), 1, "There is no instrument puls. Known here: core,"),
        (("invite", "one"), 1, "no wave"),
        (("remind", "one", "--links", "x.csv"), 1, "no wave"),
        (("status", "one"), 1, "no wave"),
        (("close", "one"), 1, "no wave"),
        (("results", "one"), 1, "no wave"),
        (("purge", "one", "--yes"), 1, "no wave"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, clock: Clock, arguments: tuple[str, ...], code: int, said: str
) -> None:
    if arguments[0] == "invite":
        with_mail_like(folder)
    output = on_a_line(cairn(*arguments, code=code))
    assert said in output
    assert "Traceback" not in output


def with_mail_like(folder: Path) -> None:
    configure(
        folder,
        "  public_url: https://c.example\n  from_address: p@acme.example\n"
        "  smtp: {host: 127.0.0.1, port: 9}\n",
    )


def test_before_its_end_a_wave_neither_closes_nor_shows(folder: Path, clock: Clock) -> None:
    cairn("open", "one")
    assert "until" in cairn("close", "one", code=1).output
    assert "Nothing of one is released" in cairn("results", "one", code=1).output
    assert "There is a wave one already" in cairn("open", "one", code=1).output
    assert "Set `surveys.smtp`" in cairn("invite", "one", code=1).output


def test_mails_reach_everybody_once_and_reminders_who_has_not_answered(folder: Path, clock: Clock) -> None:
    with Mailbox(on_recipient=lambda address: "550 unknown" if "duo1" in address else None) as box:
        with_mail(folder, box, "  reminders: 1\n")
        cairn("open", "one")
        said = cairn("invite", "one", code=1).output
        assert "25 mail(s) sent." in said
        assert "1 refused by the mail server (550)" in said
        assert "duo1" not in said
        assert "0 mail(s) sent." in cairn("invite", "one", code=1).output
        assert len(box.messages) == 25
        tokens = sent_tokens(box)
        answer(folder, [{"link": f"x/{token}"} for token in tokens[:20]])
        reminded = cairn("remind", "one", code=1).output
        assert "5 mail(s) sent." in reminded
        assert set(sent_tokens(box)[25:]) == set(tokens[20:])
        assert "as often as `surveys.reminders`" in on_a_line(cairn("remind", "one", code=1))
        assert "Reminders were sent already" in cairn("invite", "one", code=1).output


def test_a_mail_server_that_is_not_there_loses_nothing(folder: Path, clock: Clock) -> None:
    with_mail_like(folder)
    cairn("open", "one")
    assert "127.0.0.1:9 cannot be reached" in cairn("invite", "one", code=1).output
    with Mailbox() as box:
        with_mail(folder, box)
        assert "26 mail(s) sent." in cairn("invite", "one").output
        assert "Everybody has been invited" in cairn("invite", "one", code=1).output
        assert len(box.messages) == 26


def test_a_questionnaire_of_ones_own(folder: Path, clock: Clock) -> None:
    cairn("init", "ours")
    assert "stays as it is" in cairn("init", "ours").output
    configure(folder, "  instruments: ours\n")
    assert "26 people" in cairn("open", "one", "--instrument", "our-pulse").output
    (folder / "ours" / "our-pulse.yaml").write_text("id: our-pulse\n")
    assert "our-pulse.yaml:1" in on_a_line(cairn("open", "two", "--instrument", "our-pulse", code=1))


def test_the_channel_is_told_once_and_given_no_link(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, str]] = []

    async def hook(request: Request) -> Response:
        told.append(await request.json())
        is_known = request.url.path == "/services/T0/secret-part"
        return PlainTextResponse("ok" if is_known else "no_service", 200 if is_known else 404)

    with Mailbox() as box, serving(Starlette(routes=[Route("/{path:path}", hook, methods=["POST"])])) as url:
        monkeypatch.setenv("HOOK", f"{url}/services/T0/secret-part")
        with_mail(folder, box, "  slack_webhook: ${HOOK}\n")
        cairn("open", "one")
        assert "The Slack channel was told" in cairn("invite", "one").output
        cairn("invite", "one", code=1)
        cairn("remind", "one", "--no-announce")
    (message,) = told
    assert message.keys() == {"text"}
    assert "Two minutes" in message["text"]
    assert not re.search(r"https?:|/pulse|acme", message["text"])


def test_a_channel_that_is_gone_is_said_and_the_mails_are_sent(
    folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Request) -> Response:
        return PlainTextResponse("no_service", 404)

    with Mailbox() as box, serving(Starlette(routes=[Route("/{path:path}", gone, methods=["POST"])])) as url:
        monkeypatch.setenv("HOOK", f"{url}/services/T0/secret-part")
        with_mail(folder, box, "  slack_webhook: ${HOOK}\n")
        cairn("open", "one")
        output = cairn("invite", "one", code=1).output
    assert "26 mail(s) sent." in output
    assert "404" in output
    assert "secret-part" not in output
    assert len(box.messages) == 26


def test_what_was_asked_long_ago_can_be_purged(
    closed: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(closed, "  rotation_weeks: 1\n")
    clock.ahead = timedelta(days=17)
    with Store(f"sqlite:///{closed}/.cairn/surveys.db", closed / ".cairn" / "surveys" / "keys") as store:
        opened_at = store.wave("one").opens_at
    monkeypatch.setattr("cairn.survey.utc_now", lambda: opened_at + timedelta(days=8))
    assert "Add --yes" in cairn("purge", "one", code=1).output
    assert "Deleted" in cairn("purge", "one", "--yes").output
    assert json.loads(cairn("results", "one", "--format", "json").stdout)
    with Store(f"sqlite:///{closed}/.cairn/surveys.db", closed / ".cairn" / "surveys" / "keys") as store:
        assert store.invited("one") == []
