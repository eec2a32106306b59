"""What `cairn init` asks of each tool, and how it is written down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import connectors
from cairn import init, init_questions, init_writing
from connectors.connector import Connector
from tests.cairn.terminal import TOKEN


def test_what_is_being_written_is_written_to_the_end(tmp_path: Path) -> None:
    for _ in init_writing.write(tmp_path, "organisation: Acme\n", {"TOKEN": TOKEN}):
        os.kill(os.getpid(), signal.SIGINT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "cairn.yaml"]
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    code = "from pathlib import Path; from rich.console import Console; from cairn import init;"
    code += "raise SystemExit(init.run(Path(), Console()))"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stdout.count("\n") == 1
    assert "docs/workspace.md" in ran.stdout
    assert not list(tmp_path.iterdir())


def test_a_secret_that_a_tool_says_back_is_not_shown(tmp_path: Path) -> None:
    console = Console(file=StringIO(), width=200)
    conversation = init._Conversation(tmp_path, console)
    conversation._secrets |= {"A": TOKEN, "B": "a"}
    conversation._wrong("tool", f"refuses {TOKEN}", "Mend that")
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == "tool: refuses …. Mend that.\n"


class TestQuestions:
    @pytest.mark.parametrize("kind", connectors.kinds())
    def test_every_kind_can_be_asked_for(self, kind: str) -> None:
        questions = init_questions.questions(kind)
        model = connectors.connector_type(kind).options_type
        asked = {question.location[0] for question in questions}
        assert {
            field.alias or name for name, field in model.model_fields.items() if field.is_required()
        } <= asked
        assert all(question.help for question in questions)
        assert init_questions.about(kind)

    def test_what_is_listed_are_settings(self) -> None:
        for kind, names in init_questions._ASKED.items():
            assert set(names) <= connectors.connector_type(kind).options_type.model_fields.keys()

    def test_a_tool_of_another_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.cairn import other_tool

        def connector_type(kind: str) -> type[Connector]:
            assert kind == "other"
            return other_tool.OtherConnector

        monkeypatch.setattr(connectors, "connector_type", connector_type)
        asked = {question.location: question for question in init_questions.questions("other")}
        assert asked.keys() == {
            ("address",),
            ("login", "of"),
            ("login", "secret"),
            ("key",),
            ("days",),
            ("rules", 0, "job"),
        }
        assert asked["address",].help == "Where it is. On two lines."
        assert asked["login", "secret"].is_secret
        assert asked["key",].is_secret
        assert not asked["key",].is_required
        assert not asked["days",].is_text
        settings = init._settings({q: n for n, q in enumerate(asked.values())})
        assert settings["rules"] == [{"job": list(asked).index(("rules", 0, "job"))}]
        assert settings["login"].keys() == {"of", "secret"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), min_size=1))
def test_a_secret_comes_back_from_the_env_file(value: str) -> None:
    import io

    from dotenv.parser import parse_stream

    line = f"A=1\nNAME={init_writing._quoted(value)}\nB=2\n"
    assert [each.value for each in parse_stream(io.StringIO(line))] == ["1", value, "2"]


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"))), st.lists(st.text("ab*!${}:#, "))
)
def test_any_answer_comes_back_from_the_file(said: str, listed: list[str]) -> None:
    import yaml

    content = init_writing.text(said, "UTC", [{"kind": said, "names": listed}])
    data = yaml.safe_load(content)
    assert data["organisation"] == said
    assert data["sources"] == [{"kind": said, "names": listed}]


def test_the_timezone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert init.system_timezone() == "Europe/Berlin"
    for other in ("CET-1CEST", "../x", ""):
        monkeypatch.setenv("TZ", other)
        assert init.system_timezone() in {"UTC", *available_timezones()}
