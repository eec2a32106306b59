"""The survey store on both databases: waves, tokens, partial answers, results."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from sqlalchemy import event

from surveys.store import (
    AlreadyReleased,
    Cohort,
    Invitee,
    KeysGone,
    NewAction,
    NoSuchAction,
    NoSuchWave,
    NotClosed,
    Response,
    StillCollecting,
    Store,
    TooLong,
    WaveExists,
)
from tests.surveys.pulse import ENDED, OPENS_AT, WAVE, people, pulse

ODD: dict[str, JsonValue] = {
    "improve-one": "NUL \0, lone \ud800, 🎉 שלום 日本 =1+1 <script>",
    "ease": 4,
    "load": "na",
}


def test_an_answer_goes_in_once_and_comes_out_after_close(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(8)) as survey:
        store = survey.store
        for person, token in survey.tokens.items():
            invitation = store.look_up(token)
            assert invitation is not None
            assert (invitation.wave, invitation.instrument) == (WAVE.id, WAVE.instrument)
            assert invitation.accepts_until == ENDED
            assert store.submit(token, {**ODD, "who": person})
            assert not store.submit(token, {"who": "again"})
        with pytest.raises(NotClosed):
            store.answers(WAVE.id)
        survey.end()
        store.close(WAVE.id)
        store.close(WAVE.id)
        answers = store.answers(WAVE.id)
    assert {answer.values["who"] for answer in answers} == survey.tokens.keys()
    assert len(answers) == 8
    assert all(answer.cohort == Cohort(("acme", "team00")) for answer in answers)
    assert all(answer.values | ODD == answer.values for answer in answers)


def statements(store: Store, token: str) -> list[str]:
    """What looking a token up asks of the database."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", note)
    assert store.look_up(token) is None
    assert store.partial(token) == {}
    assert not store.save_partial(token, {"ease": 1})
    assert not store.submit(token, {"ease": 1})
    event.remove(engine, "before_cursor_execute", note)
    return asked


def test_tokens_that_are_no_good_are_all_alike(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(2)) as survey:
        store = survey.store
        used, unused = survey.tokens.values()
        later = replace(WAVE, id="later", opens_at=WAVE.opens_at + timedelta(1))
        over = replace(WAVE, id="over", closes_at=OPENS_AT - timedelta(2), opens_at=OPENS_AT - timedelta(9))
        for other in (later, over):
            store.open_wave(other, people(1))
        assert store.submit(used, {"ease": 3})
        (early,) = [link.token for link in store.links("later")]
        (expired,) = [link.token for link in store.links("over")]
        with pulse(f"sqlite:///{tmp_path}/other.db", tmp_path / "other", people(1)) as elsewhere:
            (foreign,) = elsewhere.tokens.values()
        malformed = ["", "/", "\0", "\ud800", "é" * 30_000, unused[:-1], unused + "=", unused.swapcase()]
        asked = {token: statements(store, token) for token in (used, early, expired, foreign, *malformed)}
        assert len(set(map(tuple, asked.values()))) == 1
        assert store.look_up(unused)


def test_answers_are_taken_from_opening_to_the_end_of_the_grace(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(5)) as survey:
        store, moment = survey.store, timedelta(microseconds=1)
        tokens = iter(survey.tokens.values())
        for now, state, is_taken in [
            (OPENS_AT - moment, "scheduled", False),
            (OPENS_AT, "collecting", True),
            (WAVE.closes_at - moment, "collecting", True),
            (WAVE.closes_at, "grace", True),
            (ENDED - moment, "grace", True),
            (ENDED, "ended", False),
        ]:
            survey.clock.now = now
            assert store.wave(WAVE.id).state == state
            if now < ENDED:
                with pytest.raises(StillCollecting, match="until 2026-01-21 08:00 UTC"):
                    store.close(WAVE.id)
            token = next(tokens) if is_taken else survey.tokens["person0004"]
            assert (store.look_up(token) is not None) is is_taken
            assert store.submit(token, {}) is is_taken
        wave = store.wave(WAVE.id)
        assert (wave.invited, wave.answered) == (5, 4)
        store.close(WAVE.id)
        assert store.wave(WAVE.id).state == "closed"
        assert not store.submit(survey.tokens["person0004"], {})


def test_what_was_begun_is_kept_until_submitted(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(2)) as survey:
        store = survey.store
        mine, other = survey.tokens.values()
        assert store.partial(mine) == {}
        assert store.save_partial(mine, {"ease": 1})
        assert store.save_partial(mine, ODD)
        assert store.partial(mine) == ODD
        assert store.partial(other) == {}
        assert store.submit(mine, ODD)
        assert store.partial(mine) == {}


def test_a_forwarded_link_is_one_answer_whoever_comes_first(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(1)) as survey:
        (token,) = survey.tokens.values()
        for _ in ("the one invited", "a colleague"):
            assert survey.store.look_up(token) is not None
        assert survey.store.submit(token, {"who": "a colleague"})
        assert survey.store.look_up(token) is None
        assert not survey.store.submit(token, {"who": "the one invited"})
        survey.end()
        survey.store.close(WAVE.id)
        assert [answer.values for answer in survey.store.answers(WAVE.id)] == [{"who": "a colleague"}]


def test_answers_too_long_are_refused_and_nothing_is_used_up(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(1)) as survey:
        (token,) = survey.tokens.values()
        for save in (survey.store.submit, survey.store.save_partial):
            with pytest.raises(TooLong, match="24000 fit"):
                save(token, {"improve-one": "x" * 50_000})
            with pytest.raises(ValueError, match="JSON"):
                save(token, {"ease": float("nan")})
        assert survey.store.submit(token, {"improve-one": "🎉" * 4_000})


def test_opening_again_is_harmless_and_another_wave_is_refused(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(3)) as survey:
        survey.store.open_wave(WAVE, [*reversed(people(3))])
        assert {link.token for link in survey.store.links(WAVE.id)} == set(survey.tokens.values())
        for other, invitees in [(WAVE, people(4)), (replace(WAVE, minimum_group=6), people(3))]:
            with pytest.raises(WaveExists):
                survey.store.open_wave(other, invitees)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "Q1"}, "can't name a wave"),
        ({"id": "../q1"}, "can't name a wave"),
        ({"minimum_group": 4}, "too low"),
        ({"comment_group": 9}, "too low"),
        ({"closes_at": OPENS_AT}, "closes after it opens"),
        ({"grace": timedelta(-1)}, "closes after it opens"),
        ({"closes_at": WAVE.closes_at.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_no_wave_is_opened_that_could_not_be_kept_safe(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db", tmp_path / "keys") as store:
        with pytest.raises(ValueError, match=said):
            store.open_wave(replace(WAVE, **change), people(3))
        with pytest.raises(ValueError, match="twice"):
            store.open_wave(WAVE, [Invitee("one", ("a",)), Invitee("one", ("b",))])
        assert store.waves() == []


def test_a_wave_is_released_once(store_url: str, tmp_path: Path) -> None:
    cells: list[dict[str, JsonValue]] = [{"item": "ease", "value": 0.7}, {"item": "\0\ud800", "value": None}]
    with pulse(store_url, tmp_path / "keys", people(6)) as survey:
        store = survey.store
        with pytest.raises(NotClosed):
            store.release(WAVE.id, cells)
        survey.end()
        store.close(WAVE.id)
        assert store.released(WAVE.id) == []
        store.release(WAVE.id, cells)
        with pytest.raises(AlreadyReleased):
            store.release(WAVE.id, [])
        assert store.released(WAVE.id) == cells
        assert store.wave(WAVE.id).state == "released"


def test_released_at_close_from_exact_cohorts(store_url: str, tmp_path: Path) -> None:
    roster = [Invitee(f"p{n}", ("acme", "shop"), "gold", "dev" if n < 5 else "ops") for n in range(7)]
    with pulse(store_url, tmp_path / "keys", roster) as survey:
        for token in survey.tokens.values():
            survey.store.submit(token, {})
        survey.end()

        def fails(_: object) -> list[dict[str, Any]]:
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            survey.store.close(WAVE.id, fails)
        assert survey.store.wave(WAVE.id).state == "closing"
        assert not survey.store.submit("any", {})
        survey.store.close(
            WAVE.id, lambda answers: [{"roles": [*sorted(a.cohort.role or "" for a in answers)]}]
        )
        assert survey.store.released(WAVE.id) == [{"roles": ["dev"] * 5 + ["ops"] * 2}]
        assert {answer.cohort for answer in survey.store.answers(WAVE.id)} == {
            Cohort(("acme", "shop"), "gold")
        }
        assert survey.store.wave(WAVE.id).state == "released"


def test_nobody_invited_and_nobody_answered(store_url: str, tmp_path: Path) -> None:
    for wave, number in ((WAVE, 0), (replace(WAVE, id="silent"), 3)):
        with pulse(store_url, tmp_path / "keys", people(number), wave) as survey:
            survey.end()
            survey.store.close(wave.id)
            assert survey.store.answers(wave.id) == []
            assert survey.store.wave(wave.id).invited == number


def test_who_was_asked_when_and_how_many_answered(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(10)) as survey:
        later = replace(WAVE, id="later", opens_at=OPENS_AT + timedelta(7))
        survey.store.open_wave(later, people(1))
        survey.store.submit(survey.tokens["person0009"], {})
        assert len(survey.store.invitations()) == 11
        assert survey.store.invitations(later.opens_at) == [
            ("person0000", ("acme", "team00"), later.opens_at)
        ]
        assert survey.store.response(WAVE.id) == [
            Response(Cohort(("acme", "team00")), 8, 0),
            Response(Cohort(("acme", "team01")), 2, 1),
        ]
        assert [wave.id for wave in survey.store.waves()] == ["later", WAVE.id]


def test_purging_leaves_what_was_released(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(6)) as survey:
        store = survey.store
        store.open_wave(replace(WAVE, id="unsent"), people(2))
        for token in survey.tokens.values():
            store.submit(token, {})
        survey.end()
        store.close(WAVE.id, lambda answers: [{"n": len(answers)}])
        for wave_id in (WAVE.id, WAVE.id, "unsent"):
            store.purge(wave_id)
        assert [wave.state for wave in store.waves()] == ["purged", "purged"]
        wave = store.wave(WAVE.id)
        assert (wave.invited, wave.answered, store.released(WAVE.id)) == (6, 6, [{"n": 6}])
        assert store.invitations() == []
        assert [path.name for path in (tmp_path / "keys").iterdir()] == [".lock"]
        with pytest.raises(NotClosed):
            store.answers(WAVE.id)


def test_what_is_exported_has_no_person_and_no_answer(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(6)) as survey:
        for token in survey.tokens.values():
            survey.store.submit(token, {"improve-one": "private"})
        survey.end()
        survey.store.close(WAVE.id, lambda answers: [{"n": len(answers)}])
        done = NewAction(WAVE.id, "docs", "hard to find", "one search", "done", date(2026, 2, 1), None)
        survey.store.add_action(done)
        text = json.dumps(survey.store.export(WAVE.id))
    assert '"n": 6' in text
    assert '"one search"' in text
    assert "private" not in text
    assert "person" not in text


def test_actions_are_kept_changed_and_removed(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", []) as survey:
        store = survey.store
        planned = NewAction(WAVE.id, "docs", "hard to find", "one search", "planned", date(2026, 2, 1))
        first, second = store.add_action(planned), store.add_action(replace(planned, theme="flow"))
        done = replace(planned, status="done", decided_on=date(2026, 3, 1), url="https://docs.example")
        store.change_action(first, done)
        assert [(action.id, action.status) for action in store.actions()] == [
            (first, "done"),
            (second, "planned"),
        ]
        store.remove_action(second)
        assert [action.id for action in store.actions(WAVE.id)] == [first]
        with pytest.raises(NoSuchAction):
            store.remove_action(second)
        with pytest.raises(NoSuchAction):
            store.change_action(second, done)


def test_an_unknown_wave_is_said_to_be_unknown(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/store.db", tmp_path / "keys") as store:
        asked: list[Any] = [
            store.wave,
            store.close,
            store.purge,
            store.answers,
            store.released,
            store.export,
            lambda wave_id: store.release(wave_id, []),
            lambda wave_id: [*store.links(wave_id)],
        ]
        for ask in asked:
            with pytest.raises(NoSuchWave, match="'none'"):
                ask("none")


def test_lost_keys_are_said_and_close_nothing(tmp_path: Path) -> None:
    with pulse(f"sqlite:///{tmp_path}/store.db", tmp_path / "keys", people(6)) as survey:
        for token in survey.tokens.values():
            survey.store.submit(token, {})
        for path in (survey.keys / WAVE.id).iterdir():
            path.unlink()
        assert survey.store.look_up(token) is None
        with pytest.raises(KeysGone, match=r"token\.key is missing"):
            next(survey.store.links(WAVE.id))
        survey.end()
        with pytest.raises(KeysGone, match=r"sealing\.key is missing"):
            survey.store.close(WAVE.id)


def only_owner(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    with pulse(f"sqlite:///{tmp_path}/surveys/store.db", tmp_path / "surveys/keys", people(3)) as survey:
        survey.store.submit(survey.tokens["person0000"], {})
        files = [path for path in (tmp_path / "surveys").rglob("*") if path.name != ".lock"]
        assert {path.name for path in files} >= {"store.db", "store.db-wal", "token.key", "sealing.key"}
        assert all(only_owner(path) for path in files)
