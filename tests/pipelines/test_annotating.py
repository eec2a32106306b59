"""Annotations: what the workspace takes, and a file that loses nothing of anybody."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines import annotating
from pipelines.annotating import AnnotationError
from pipelines.annotation_settings import AnnotationConfig
from pipelines.home import Home
from pipelines.workspace import Workspace, WorkspaceError, load

DAY = date(2026, 3, 2)
HOSTILE = "=cmd()|' <script>alert(1)</script> [x](javascript:alert(1)) %{y}"
HEAD = """\
organisation: Acme
sources: [{kind: git, repositories: ["/srv/git/*.git"]}]
teams: [{name: web}, {name: search, parent: web}]
platform: {capabilities: [{name: golden, evidence: [{image: "a/*"}]}]}
annotations:
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Workspace]:
    def read(text: str) -> Workspace:
        (tmp_path / "cairn.yaml").write_text(HEAD + text)
        return load(tmp_path / "cairn.yaml", {})

    return read


def configured(text: str, team: str | None = None) -> AnnotationConfig:
    return AnnotationConfig(date=DAY, text=text, team=team)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_each_is_about_the_whole_or_one_thing(read: Callable[[str], Workspace]) -> None:
    taken = read(
        "  - {date: 2026-03-02, text: A}\n  - {date: 2026-03-02, text: B, team: search}\n"
        "  - {date: 2026-03-02, text: C, service: any}\n  - {date: 2026-03-02, text: D, capability: golden}\n"
    ).annotations
    assert [each.about for each in taken] == [
        ("organisation", None), ("team", "search"), ("service", "any"), ("capability", "golden")
    ]  # fmt: skip
    assert {each.date for each in taken} == {DAY}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{date: 2026-03-02, text: A, team: serch}", r"annotations\[0\].team: .*Did you mean `search`"),
        ("{date: 2026-03-02, text: A, capability: gold}", r"there is no capability `gold`"),
        ("{date: 2026-03-02, text: A, team: web, service: b}", "is about several things"),
        ("{date: 2026-03-02, text: ask jo@acme.example}", "holds an e-mail address.*not a person"),
        ('{date: 2026-03-02, text: "a\\nb"}', "line break"),
        ("{date: someday, text: A}", r"annotations\[0\].date"),
        ("{text: A}", r"annotations\[0\].date: is missing"),
    ],
)
def test_what_is_wrong_with_one_is_said_in_a_line(
    read: Callable[[str], Workspace], entry: str, expected: str
) -> None:
    with pytest.raises(WorkspaceError, match=expected):
        read(f"  - {entry}\n")


def test_they_shape_no_figure(read: Callable[[str], Workspace]) -> None:
    assert read("  - {date: 2026-03-02, text: A}").fingerprint() == read("  []").fingerprint()


def test_what_is_added_is_there_in_order_of_time_and_can_be_removed(home: Home) -> None:
    assert annotating.read(home) == ()
    late = annotating.add(home, DAY, "late", "team", "search")
    early = annotating.add(home, date(2025, 1, 1), f"  {HOSTILE} ", "organisation", None)
    assert annotating.read(home) == (early, late)
    assert early.text == HOSTILE
    assert annotating.remove(home, late.id) == late
    assert annotating.read(home) == (early,)
    with pytest.raises(AnnotationError, match="no annotation"):
        annotating.remove(home, late.id)


@pytest.mark.parametrize(
    "text", ["", "  ", "x" * 201, "two\nlines", "jo@acme.example left", "\0", "\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_a_text_that_the_workspace_would_refuse_is_refused(home: Home, text: str) -> None:
    with pytest.raises(AnnotationError, match="The text"):
        annotating.add(home, DAY, text, "organisation", None)
    assert annotating.read(home) == ()


def test_a_sync_replaces_the_workspaces_and_keeps_what_was_added(home: Home) -> None:
    added = annotating.add(home, DAY, "added", "organisation", None)
    annotating.take(home, [configured("one"), configured("two", "web"), configured("two", "web")])
    before = home.annotations.stat().st_mtime_ns
    annotating.take(home, [configured("one"), configured("two", "web")])
    assert home.annotations.stat().st_mtime_ns == before
    with pytest.raises(AnnotationError, match="workspace file"):
        annotating.remove(home, next(each.id for each in annotating.read(home) if each.text == "two"))
    annotating.take(home, [configured("three")])
    assert {(each.text, each.origin) for each in annotating.read(home)} == {
        ("added", "added"), ("three", "workspace")
    }  # fmt: skip
    annotating.take(home, [])
    assert annotating.read(home) == (added,)


def test_without_any_nothing_is_written(home: Home) -> None:
    annotating.take(home, [])
    assert not home.root.exists()


def _add_many(root: Path, name: str) -> None:
    for number in range(15):
        annotating.add(Home(root), DAY, f"{name} {number}", "organisation", None)


def test_processes_at_once_lose_nothing_of_one_another(home: Home) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    adding = [context.Process(target=_add_many, args=(home.root, name)) for name in ("one", "two")]
    for process in adding:
        process.start()
    for number in range(15):
        annotating.take(home, [configured(f"workspace {number}")])
    for process in adding:
        process.join(60)
    assert {each.text for each in annotating.read(home)} == {
        *(f"{name} {number}" for name in ("one", "two") for number in range(15)), "workspace 14"
    }  # fmt: skip


def test_a_damaged_file_is_not_written_over(home: Home) -> None:
    home.create()
    home.annotations.write_text('[{"id": 7}]')
    for attempt in (
        lambda: annotating.read(home),
        lambda: annotating.add(home, DAY, "new", "organisation", None),
        lambda: annotating.take(home, [configured("one")]),
    ):
        with pytest.raises(AnnotationError, match="Mend the file"):
            attempt()
    assert home.annotations.read_text() == '[{"id": 7}]'
