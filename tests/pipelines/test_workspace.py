"""The workspace file: what it accepts, and which one is read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.workspace import (
    ServiceConfig,
    TakenFrom,
    TeamConfig,
    Workspace,
    WorkspaceError,
    find,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

from tests.pipelines import workspace_file
from tests.pipelines.workspace_file import HEAD, SECRET, TOOL, Tool, ToolOptions, _options

complaints, read, tool = workspace_file.complaints, workspace_file.read, workspace_file.tool


def test_everything_that_can_be_set(read: Callable[..., Workspace], tmp_path: Path) -> None:
    workspace = read(
        """
organisation: Acme
timezone: Europe/Berlin
sources:
  - {kind: tool, token: ${TOKEN}, releases: '^v\\d+$', folders: [here, /there]}
  - {kind: tool, name: second-tool, login: {password: "${TOKEN}"}}
services:
  - {name: shop, team: web, repositories: [shop, "shop-*"]}
  - {name: bank, repositories: [bank]}
teams: [{name: product}, {name: web, parent: product}]
""",
        TOKEN=SECRET,
    )
    assert workspace.organisation == "Acme"
    assert workspace.timezone == "Europe/Berlin"
    first, second = workspace.sources
    assert (first.kind, first.name, second.name) == ("tool", "tool", "second-tool")
    assert isinstance(first.options, ToolOptions)
    assert first.options.releases == r"^v\d+$"
    assert _options(first).token.get_secret_value() == SECRET
    assert first.options.folders == (str(tmp_path / "here"), "/there")
    assert workspace.services == (
        ServiceConfig(name="shop", team="web", repositories=("shop", "shop-*")),
        ServiceConfig(name="bank", repositories=("bank",)),
    )
    assert workspace.teams == (TeamConfig(name="product"), TeamConfig(name="web", parent="product"))
    assert SECRET not in repr(workspace) + str(workspace) + workspace.model_dump_json()


def test_defaults(read: Callable[..., Workspace]) -> None:
    workspace = read(HEAD + TOOL)
    assert (workspace.timezone, workspace.services, workspace.teams) == ("UTC", (), ())


@pytest.mark.parametrize("written", ["{kind: tool, url: ${X}}", '{"kind": tool, "url": "${X}"}'])
def test_variables_are_filled_in_wherever_yaml_allows_a_word(
    read: Callable[..., Workspace], written: str
) -> None:
    assert _options(read(f"{HEAD}sources: [{written}]\n", X="there").sources[0]).url == "there"


def test_text_around_a_variable_and_an_escaped_one(read: Callable[..., Workspace]) -> None:
    workspace = read(f"organisation: a ${{X}} b $${{X}} $5 $\n{TOOL}", X="${Y}")
    assert workspace.organisation == "a ${Y} b ${X} $5 $"


def test_a_password_in_an_address_by_variable_is_accepted_and_not_shown(
    read: Callable[..., Workspace],
) -> None:
    workspace = read(HEAD + "sources: [{kind: tool, url: 'https://me:${P}@host'}]\n", P=SECRET)
    assert _options(workspace.sources[0]).url == f"https://me:{SECRET}@host"
    assert SECRET not in repr(workspace)


def test_a_connectors_own_words_do_not_carry_a_variable(complaints: Callable[..., list[str]]) -> None:
    (line,) = complaints(HEAD + "sources: [{kind: tool, url: 'x ${P}!'}]\n", P=SECRET)
    assert "url: x ${P}! is too loud." in line
    (line,) = complaints(HEAD + "sources: [{kind: tool, releases: '(${P}'}]\n", P=SECRET)
    assert "missing ): (${P}" in line


def test_anchors_and_merge_keys(read: Callable[..., Workspace]) -> None:
    workspace = read(
        HEAD + "sources:\n- &tool {kind: tool, name: a, count: 3}\n- {<<: *tool, name: b, token: ${P}}\n",
        P="x",
    )
    assert [(source.name, _options(source).count) for source in workspace.sources] == [("a", 3), ("b", 3)]


def test_a_key_that_overrides_a_merged_one_is_the_one_to_mend(complaints: Callable[..., list[str]]) -> None:
    (line,) = complaints(
        HEAD + "sources:\n- &tool {kind: tool, count: 3}\n- {<<: *tool, name: b, count: x}\n"
    )
    assert line.startswith("cairn.yaml:4: sources[1].count: ")


def test_a_dotenv_file_beside_the_workspace_fills_in_what_the_environment_lacks(
    read: Callable[..., Workspace], complaints: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("# mine\nexport A='from $file'\nB=from file\n")
    assert read("organisation: ${A}, ${B}\n" + TOOL, B="from here").organisation == "from $file, from here"
    (tmp_path / ".env").write_text(f"A=x\n\nnot a {SECRET} line\nB='{SECRET}\n")
    assert complaints("organisation: ${A}\n" + TOOL) == [
        ".env:3: is not `NAME=value`. Correct the line.",
        ".env:4: is not `NAME=value`. Correct the line.",
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(WorkspaceError) as caught:
        load(path, {})
    expected = "there is no such file. Make it, with the lines `organisation: NAME`"
    assert str(caught.value).startswith(f"{path}: {expected}")


def test_the_fingerprint_follows_what_shapes_figures_and_no_secret(read: Callable[..., Workspace]) -> None:
    text = (
        "organisation: ${O}\ntimezone: Asia/Tokyo\n"
        "sources: [{kind: tool, token: ${P}, url: 'https://me:${P}@host/x', releases: ^v}]\n"
        "services: [{name: a, repositories: [b]}]\n"
    )
    first = read(text, O="Acme", P="one1").fingerprint()
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert read(text, O="Acme", P="two2").fingerprint() == first
    others = [
        read(text, O="Other", P="one1"),
        *(
            read(text.replace(old, new), O="Acme", P="one1")
            for old, new in (("Tokyo", "Seoul"), ("^v", "^w"), ("[b]", "[c]"), ("host/x", "host/y"))
        ),
    ]
    assert len({first, *(workspace.fingerprint() for workspace in others)}) == 6


def test_which_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(None, {}) is None
    assert find(None, {"CAIRN_WORKSPACE": ""}) is None
    for name in ("cairn.yaml", "option.yaml", "variable.yaml"):
        Path(name).touch()
    environ = {"CAIRN_WORKSPACE": "variable.yaml"}
    assert find(None, {}) == Path("cairn.yaml")
    assert find(None, environ) == Path("variable.yaml")
    assert find(Path("option.yaml"), environ) == Path("option.yaml")
    assert find(Path(), environ) == Path("cairn.yaml")
    Path("empty").mkdir()
    assert find(Path("empty"), environ) == Path("empty")


@pytest.mark.parametrize(
    ("option", "environ", "said_by"),
    [
        (Path("gone.yaml"), {}, "--workspace"),
        (None, {"CAIRN_WORKSPACE": "gone.yaml"}, "CAIRN_WORKSPACE"),
    ],
)
def test_a_file_that_is_named_must_exist(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: Path | None,
    environ: Mapping[str, str],
    said_by: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cairn.yaml").touch()
    with pytest.raises(WorkspaceError, match=rf"^gone\.yaml: there is no such file; .*{said_by}\. "):
        find(option, environ)


def _init(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    return folder


def test_without_a_file_the_repository_around_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = _init(tmp_path / "my [shop] $HOME")
    (top / "src" / "deep").mkdir(parents=True)
    monkeypatch.setenv("GIT_DIR", str(_init(tmp_path / "other") / ".git"))
    workspace = load(top / "src" / "deep", {})
    assert (workspace.organisation, workspace.timezone) == (top.name, "UTC")
    (source,) = workspace.sources
    assert (source.kind, source.name) == ("git", "git")
    assert len(_options(source).repositories) == 1


def test_outside_of_a_repository_there_is_nothing_to_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        load(tmp_path, {})
    assert re.fullmatch(
        r"\S+: there is no workspace here, and git says: .*\. Run this in .*", str(caught.value)
    )
    monkeypatch.setenv("PATH", "")
    with pytest.raises(WorkspaceError, match=r"git cannot be run\. Install git"):
        load(tmp_path, {})


def test_services_and_teams_may_be_those_of_a_source(
    read: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tool, "streams", ("service", "team"))
    workspace = read(HEAD + TOOL + "services: {from: tool}\nteams: {from: tool}\n")
    assert workspace.services == workspace.teams == TakenFrom.model_validate({"from": "tool"})
    mixed = read(
        HEAD + TOOL + "teams: {from: tool}\nservices: [{name: a, team: unheard-of, repositories: [a]}]\n"
    )
    assert isinstance(mixed.services, tuple)


def test_importing_is_cheap() -> None:
    code = "import sys, pipelines.workspace; print(*{'dagster', 'duckdb', 'pandas'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert loaded.strip() == ""
