"""The survey form over HTTP: what it says, what it keeps, and what it does when its store fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboards import pulse
from surveys.errors import StoreGone
from surveys.form import visits
from surveys.instruments import Instrument
from surveys.store import NewAction, Store
from tests.dashboards.form_client import LAST, OPEN, Form, app, ask, core, served
from tests.serving import serving
from tests.surveys.pulse import OPENS_AT, WAVE


def test_who_sees_what_stands_before_the_first_question(form: Form, token: str) -> None:
    first = form.get(token)
    assert first.status == 200
    assert "<input" not in first.html
    assert "<form" not in first.html
    for words in (
        "at least 7 people answered",
        "at least 12 people commented",
        "no smaller group can be worked out from all that is shown, earlier surveys included",
        "until 19 January 2026, 09:00 (Europe/Berlin)",
        "After 21 January 2026, 09:00 (Europe/Berlin) they are opened, shuffled and stored",
        "Whoever controls the running program could change it and read along",
        "whether your link has been used",
        "Asked by Acme & Söhne",
    ):
        assert words in first.text
    assert 'href="?page=1&amp;lang=en"' in first.html


def test_the_whole_way(tmp_path: Path) -> None:
    sent = {
        1: {"item-satisfaction-overall": "4", "item-delivery-ease": "na"},
        2: {"item-flow-focus": "1"},
        3: {},
        4: {"item-platform-recommend": "0", "item-ai-use": "2"},
        5: {"item-ai-help": "5", OPEN: "Schnellere Tests\r\nbitte"},
    }
    with served(tmp_path) as form:
        token = form.tokens[0]
        for page, fields in sent.items():
            assert f"Page {page} of {LAST}" in form.get(f"{token}?page={page}").text
            answered = form.post(f"{token}?page={page}", {**fields, "go": "send" if page == LAST else "next"})
            if page < LAST:
                assert answered.status == 303
                assert answered.headers["location"] == f"?page={page + 1}&lang=en"
        assert answered.status == 200
        assert "Your answers have arrived" in answered.text
        assert form.stored() == [
            {
                "satisfaction-overall": 4,
                "delivery-ease": "na",
                "flow-focus": 1,
                "platform-recommend": 0,
                "ai-use": 2,
                "ai-help": 5,
                "improve-one": "Schnellere Tests\nbitte",
            }
        ]


def test_within_the_grace_answers_are_taken(tmp_path: Path) -> None:
    with served(tmp_path) as form:
        form.wave.clock.now = WAVE.closes_at + WAVE.grace / 2
        answered = form.post(f"{form.tokens[0]}?page={LAST}", {"go": "send", OPEN: "late"})
        assert answered.status == 200
        assert form.stored() == [{"improve-one": "late"}]


def test_a_question_the_file_no_longer_has_is_still_asked(tmp_path: Path) -> None:
    data = core()
    text = {"en": "As it was then?", "de": "Wie damals?"}
    data["pages"][0]["items"][0] |= {"id": "asked-then", "text": text}
    with served(tmp_path, Instrument.model_validate(data)) as form:
        token = form.tokens[0]
        assert "As it was then?" in form.get(f"{token}?page=1").text
        form.wave.store.save_partial(token, {"satisfaction-overall": 4, "asked-then": 2})
        assert form.post(f"{token}?page={LAST}", {"go": "send"}).status == 200
        assert form.stored() == [{"asked-then": 2}]


def test_answers_on_a_branch_that_was_left_are_dropped(tmp_path: Path) -> None:
    with served(tmp_path) as form:
        token = form.tokens[0]
        assert "AI tools help me" not in form.get(f"{token}?page=5").text
        form.post(f"{token}?page=4", {"item-ai-use": "5", "go": "next"})
        assert "AI tools help me" in form.get(f"{token}?page=5").text
        form.post(f"{token}?page=5", {"item-ai-help": "5", "item-ai-trust": "1", "go": "back"})
        form.post(f"{token}?page=4", {"item-ai-use": "1", "go": "next"})
        assert form.wave.store.partial(token) == {"ai-use": 1}
        assert "AI tools help me" not in form.get(f"{token}?page=5").text
        # Neither what was saved nor what an old page still sends comes back.
        form.post(f"{token}?page=5", {"item-ai-help": "5", "go": "send"})
        assert form.stored() == [{"ai-use": 1}]


def test_a_page_with_nothing_to_ask_is_left_out(tmp_path: Path) -> None:
    data = core()
    branch = [item for item in data["pages"][-1]["items"] if item["show_if"]]
    data["pages"][-1]["items"] = [item for item in data["pages"][-1]["items"] if not item["show_if"]]
    data["pages"].insert(-1, {"title": {"en": "Only some", "de": "Nur manche"}, "items": branch})
    with served(tmp_path, Instrument.model_validate(data)) as form:
        token = form.tokens[0]
        skipped = form.post(f"{token}?page=4", {"item-ai-use": "1", "go": "next"})
        assert skipped.headers["location"] == "?page=6&lang=en"
        assert "Page 5 of 5" in form.get(f"{token}?page=5").text
        taken = form.post(f"{token}?page=4", {"item-ai-use": "2", "go": "next"})
        assert taken.headers["location"] == "?page=5&lang=en"
        assert "Page 5 of 6" in form.get(f"{token}?page=5").text


def test_what_was_begun_goes_on_in_any_language(form: Form, token: str) -> None:
    form.post(f"{token}?page=1", {"item-delivery-ease": "3", "go": "next"})
    moved = form.post(f"{token}?page=2", {"item-flow-focus": "2", "go": "language-de"})
    assert moved.headers["location"] == "?page=2&lang=de"
    german = form.get(f"{token}{moved.headers['location']}")
    assert '<html lang="de">' in german.html
    assert 'id="item-flow-focus-2" value="2" checked' in german.html
    saved = form.post(f"{token}?page=2&lang=de", {"item-flow-focus": "2", "go": "later"})
    assert "Gespeichert." in form.get(f"{token}{saved.headers['location']}").text
    # Another day, from the link alone.
    again = form.get(token, accept_language="de-AT,de;q=0.9,en;q=0.8")
    assert "Bisher hast du 2 beantwortet." in again.text
    assert "page=1&amp;lang=de" in again.html


@pytest.mark.parametrize(
    ("accepted", "query", "language"),
    [
        ("", "", "en"),
        ("de", "", "de"),
        ("fr-CH, fr;q=0.9, de-CH;q=0.8, *;q=0.5", "", "de"),
        ("en;q=0.1, de;q=0.2", "", "de"),
        ("de;q=0", "", "en"),
        ("de;q=x,,;q=nan, ;;", "", "en"),
        ("de", "?lang=en", "en"),
        ("de", "?lang=../../x", "de"),
        ("x" * 5000, "?lang=" + "y" * 5000, "en"),
    ],
)
def test_a_reader_s_language(form: Form, token: str, accepted: str, query: str, language: str) -> None:
    for path in (token, "wrong"):
        assert f'<html lang="{language}">' in form.get(path + query, accept_language=accepted).html


def test_a_wave_offers_the_languages_it_was_opened_with(tmp_path: Path) -> None:
    with served(tmp_path, languages=["de"]) as form:
        page = form.get(form.tokens[0], accept_language="en")
        assert '<html lang="de">' in page.html
        assert "English" not in page.text


def test_sending_nothing_at_all_is_asked_back(form: Form, token: str) -> None:
    form.wave.store.save_partial(token, {})
    answered = form.post(f"{token}?page={LAST}", {"go": "send", OPEN: " \n\t "})
    assert answered.status == 422
    assert "Answer at least one question, and then send." in answered.text


def test_what_was_done_is_shown_to_those_who_answered(tmp_path: Path) -> None:
    done = NewAction(WAVE.id, "Checks", "Slow", "Two more runners", "done", OPENS_AT.date())
    with served(tmp_path) as form:
        for number, url in enumerate(["https://acme.example/a", "javascript:alert(1)"]):
            form.wave.store.add_action(replace(done, said=f"<b>Slow</b> {number}", url=url))
        assert "Slow" not in form.get(form.tokens[0]).text
        thanks = form.post(f"{form.tokens[0]}?page={LAST}&lang=en", {"go": "send", OPEN: "x"})
        assert "You said, we did" in thanks.text
        assert "<b>Slow</b> 0" in thanks.text
        assert "<b>" not in thanks.html
        assert 'href="https://acme.example/a" rel="noreferrer"' in thanks.html
        assert "javascript:" not in thanks.html


class Broken:
    """A store that fails where it is told to."""

    def __init__(self, store: Store, failing: str) -> None:
        self._store, self._failing = store, failing

    def __getattr__(self, name: str) -> Any:
        def fail(*arguments: object) -> None:
            raise StoreGone("postgresql://cairn:hunter2@db/surveys is gone")

        return fail if name == self._failing else getattr(self._store, name)


@pytest.mark.parametrize("failing", ["save_partial", "submit"])
def test_a_store_that_fails_loses_no_text(
    form: Form, token: str, failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken(form.wave.store, failing)
    fields = {OPEN: "my words", "go": "send" if failing == "submit" else "later"}
    reply = visits.take(broken, token, {"page": str(LAST)}, fields, "")
    assert reply.status == 503
    assert "my words</textarea>" in reply.html
    assert "could not be saved just now" in reply.html
    assert "hunter2" not in caplog.text + reply.html
    assert token not in caplog.text


def test_a_store_that_is_gone_has_a_page_of_its_own(
    form: Form, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(app(Broken(form.wave.store, "look_up"))) as url:
        for method in ("GET", "POST"):
            answered = ask(url, method, f"/pulse/{token}?page=1", b"", {
                "content-type": "application/x-www-form-urlencoded"
            })  # fmt: skip
            assert answered.status == 503
            assert "Nothing is lost" in answered.text or "Es ist nichts verloren" in answered.text
    assert "StoreGone" in caplog.text
    assert "hunter2" not in caplog.text
    assert token not in caplog.text


def test_answers_in_but_no_actions_is_still_a_thank_you(tmp_path: Path) -> None:
    with served(tmp_path) as form:
        broken = Broken(form.wave.store, "actions")
        fields = {OPEN: "x", "go": "send"}
        assert visits.take(broken, form.tokens[0], {"page": str(LAST)}, fields, "").status == 200
        assert form.stored() == [{"improve-one": "x"}]


def test_the_store_is_where_home_and_workspace_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = tmp_path / "cairn.yaml"
    workspace.write_text("organisation: Acme\nsources: [{kind: git, repositories: [/srv/x.git]}]\n")
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CAIRN_WORKSPACE", str(workspace))
    opened = pulse._Stores()
    assert opened() is None
    assert not (tmp_path / "home").exists()  # looking for a wave makes none
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "surveys.db").touch()
    store = opened()
    assert store is not None
    assert opened() is store
    opened.forget()
    assert opened() is not store
    opened.forget()
