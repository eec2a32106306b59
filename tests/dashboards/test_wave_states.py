"""What may be told of a wave before it is released: state, next step, and numbers that give nobody away."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards import wave_states
from dashboards.wave_states import Standing
from pipelines.home import Home
from surveys.store import Store
from tests.dashboards import survey_waves


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    monkeypatch.setenv("CAIRN_HOME", str(home.root))
    monkeypatch.setenv("CAIRN_WORKSPACE", str(survey_waves.workspace(home.root)))
    return home


def only(home: Home) -> Standing:
    (wave,) = wave_states.read().waves
    return wave


def test_without_a_store_there_is_no_wave_and_none_is_made(home: Home) -> None:
    assert wave_states.read() == wave_states.Standings()
    assert not home.survey_database.exists()


@pytest.mark.parametrize(
    ("days_ago", "state", "command"),
    [
        (1, "collecting", "cairn survey invite 2026-11\ncairn survey remind 2026-11"),
        (15, "grace", "cairn survey close 2026-11"),
        (20, "ended", "cairn survey close 2026-11"),
    ],
)
def test_the_next_step_follows_the_clock(home: Home, days_ago: int, state: str, command: str) -> None:
    survey_waves.opened(home, "2026-11", days_ago, 9)
    wave = only(home)
    assert wave.state == state
    assert wave.next_step.command == command
    assert not wave.is_settled({"2026-11"})
    assert "fewer than 7" in wave.promise
    assert "fewer than 12" in wave.promise


@pytest.mark.parametrize(("answering", "band"), [(0, "up to 25 %"), (6, "up to 25 %"), (7, "25 – 50 %")])
def test_an_open_wave_tells_quarters_of_groups_large_enough(home: Home, answering: int, band: str) -> None:
    survey_waves.opened(home, "2026-11", 1, answering)
    wave = only(home)
    assert wave.answered == band
    assert [(group.group, group.invited) for group in wave.groups] == [
        ("Commerce", 22), ("Payments", 12), ("Till <i>team</i>", 10)
    ]  # fmt: skip
    assert "person-" not in repr(wave)


def test_a_released_wave_tells_its_number_and_waits_to_be_published(home: Home) -> None:
    survey_waves.opened(home, "2026-08", 60, 22, is_released=True)
    wave = only(home)
    assert (wave.state, wave.answered, wave.groups) == ("released", "22", ())
    assert wave.next_step.command == "cairn sync"
    assert not wave.is_settled(set())
    assert wave.is_settled({"2026-08"})
    with Store(f"sqlite:///{home.survey_database}", home.survey_keys) as store:
        store.purge("2026-08")
    assert only(home).is_settled(set())
    assert only(home).answered == "22"


def test_a_store_that_cannot_be_read_is_said_without_its_address(home: Home) -> None:
    home.survey_database.write_bytes(b"this is no database" * 100)
    found = wave_states.read()
    assert not found.waves
    assert found.problem
    assert str(home.root) not in found.problem


def test_a_broken_workspace_is_said(home: Home) -> None:
    (home.root / "cairn.yaml").write_text("organisation: [")
    assert wave_states.read().problem == "WorkspaceError"
