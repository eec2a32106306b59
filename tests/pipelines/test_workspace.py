"""The workspace file: what it accepts, and what it says about what it does not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pytest
from pydantic import AfterValidator, SecretStr, ValidationInfo

import connectors
from connectors.connector import Connector, Options
from pipelines.workspace import (
    ServiceConfig,
    SourceConfig,
    TakenFrom,
    TeamConfig,
    Workspace,
    WorkspaceError,
    find,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import JsonValue

    from connectors.connector import Item, Note, Problem

SECRET = "s3cr3t-value"


def _in_folder(path: str, info: ValidationInfo) -> str:
    assert info.context
    return str(info.context["folder"] / path)


def _options(source: SourceConfig) -> Any:
    """A source's options, of whichever connector's type."""
    return source.options


def _refuse_loudly(value: str) -> str:
    if "!" in value:
        raise ValueError(f"{value} is too loud")
    return value


class Login(Options):
    password: SecretStr


class ToolOptions(Options):
    url: Annotated[str, AfterValidator(_refuse_loudly)] = "https://tool.example.com"
    token: SecretStr | None = None
    tokens: tuple[SecretStr, ...] = ()
    login: Login | None = None
    releases: str = "^v"
    count: int = 0
    folders: tuple[Annotated[str, AfterValidator(_in_folder)], ...] = ()


class Tool(Connector):
    kind: ClassVar[str] = "tool"
    streams: ClassVar[tuple[str, ...]] = ()
    options_type = ToolOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:  # noqa: ARG002
        yield from ()

    def check(self) -> Iterator[Problem | Note]:
        yield from ()


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second kind of source, and a third whose package is broken."""
    registered, kinds = connectors.connector_type, connectors.kinds()

    def connector_type(kind: str) -> type[Connector]:
        if kind == "broken":
            raise ModuleNotFoundError("No module named 'missing'")
        return Tool if kind == "tool" else registered(kind)

    monkeypatch.setattr(connectors, "connector_type", connector_type)
    monkeypatch.setattr(connectors, "kinds", lambda: [*kinds, "tool"])


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workspace]:
    monkeypatch.chdir(tmp_path)

    def read(text: str | bytes, **environ: str) -> Workspace:
        Path("cairn.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(Path("cairn.yaml"), environ)

    return read


@pytest.fixture
def complaints(read: Callable[..., Workspace]) -> Callable[..., list[str]]:
    def complaints(text: str | bytes, **environ: str) -> list[str]:
        with pytest.raises(WorkspaceError) as caught:
            read(text, **environ)
        lines = str(caught.value).splitlines()
        assert len(lines) == len(caught.value.problems)
        assert SECRET not in str(caught.value)
        return lines

    return complaints


HEAD = "organisation: Acme\n"
TOOL = "sources: [{kind: tool}]\n"


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r"cairn\.yaml:1: the file is empty\. Write at least"),
        ("# nothing yet\n", r"cairn\.yaml:1: the file is empty\."),
        ("- a\n", r"cairn\.yaml:1: must be `key: value` lines\."),
        (HEAD + "sources:\n\t- kind: tool\n", r":3: is not YAML: .*'\\t'.*\. Indent with spaces"),
        (HEAD + "sources: [{kind: tool]\n", r":2: is not YAML: .*\. Close the bracket"),
        (HEAD + TOOL + 'x: "^v\\d+"\n', r":3: is not YAML: .*escape character 'd'\. Put .* single quotes"),
        (HEAD + TOOL + "x: *\n", r":3: is not YAML: .*\. A leading `\*` means"),
        (HEAD + TOOL + "---\na: 1\n", r":3: is not YAML: .*single document.*\. Remove the `---`"),
        (HEAD + "x: \0\n", r":2: is not YAML: character U\+0000 is not allowed\. Remove it\."),
        (HEAD + "x: " + "[" * 5000, r":1: is nested too deeply"),
        (b"organisation: Acme\nx: \xff\n", r":2: is not UTF-8 text\. Save the file as UTF-8\."),
        (HEAD + TOOL + "? [a]\n: b\n", r":3: a key must be a plain word\."),
        (HEAD + TOOL + HEAD, r":3: organisation: is given twice, first on line 1\. Remove one of them\."),
        ("organisation: &a [*a]\n" + TOOL, r":1: organisation\[0\]: contains itself\."),
        ("organisation: !x y\n" + TOOL, r":1: organisation: `!x` is not understood here\. A leading `!`"),
        ("organisation: !!python/name:os.system\n" + TOOL, r":1: organisation: cannot be read as"),
        ("organisation: !!bool x\n" + TOOL, r":1: organisation: cannot be read as bool\."),
        ("organisation: !!timestamp x\n" + TOOL, r":1: organisation: cannot be read as timestamp\."),
        ("organisation: 2024-13-45\n" + TOOL, r":1: organisation: cannot be read as timestamp\."),
        ('organisation: "\\ud800"\n' + TOOL, r":1: organisation: holds a character that is no text"),
        ('organisation: "a\\nb"\n' + TOOL, r":1: organisation: holds a line break"),
        ("organisation: 12\n" + TOOL, r":1: organisation: must be text\. Put the value in quotes\."),
        ("organisation: [a]\n" + TOOL, r":1: organisation: must be a single text\. Write one value"),
        ("organisation:\n" + TOOL, r":1: organisation: has no value\. Write one after the colon"),
        ("organisation: ' '\n" + TOOL, r":1: organisation: must not be empty\."),
        (TOOL, r":1: organisation: is missing\. Add it\."),
        ("organization: Acme\n" + HEAD + TOOL, r":1: organization: is not a setting\. Did you mean `organis"),
        (HEAD + TOOL + "platform: {}\n", r":3: platform: is not a setting\. Known here: org"),
        (HEAD + TOOL + "failure_window: soon\n", r":3: failure_window: is no length of time such as 90m"),
        (HEAD + TOOL + "failure_window: 24\n", r":3: failure_window: is no length of time such as 90m"),
        (HEAD + TOOL + "surveys: {minimum_group: 4}\n", r":3: surveys\.minimum_group: .*5"),
        (
            HEAD + TOOL + "production: {environments: ['(']}\n",
            r":3: production\.environments\[0\]: is not a pat",
        ),
        (HEAD + TOOL + "timezone: Berlin\n", r":3: timezone: there is no timezone `Berlin`\. .*`Europe/Be"),
        (HEAD + TOOL + "timezone: ../UTC\n", r":3: timezone: there is no timezone"),
        (HEAD, r":1: sources: names nothing to read\. Add "),
        (HEAD + "sources:\n", r":2: sources: has no value\. Write a list"),
        (HEAD + "sources: {kind: tool}\n", r":2: sources: must be a list\. Write it as"),
        (HEAD + "sources: [tool]\n", r":2: sources\[0\]: must be a group of `key: value` lines\."),
        (HEAD + "sources: [{url: x}]\n", r":2: sources\[0\]\.kind: is missing\. Add it\."),
        (
            HEAD + "sources: [{kind: tol}]\n",
            r"kind: there is no connector for `tol`\. .*`tool`\? Known .*git",
        ),
        (HEAD + "sources: [{kind: broken}]\n", r"kind: its connector cannot be loaded: ModuleNotFoundError"),
        (HEAD + "sources: [{kind: tool, name: ../x}]\n", r":2: sources\[0\]\.name: is no name for a source"),
        (HEAD + "sources: [{kind: tool, tokn: x}]\n", r"\.tokn: is not a setting\. Did you mean `token`\?"),
        (HEAD + "sources: [{kind: tool, url: a!}]\n", r"\.url: a! is too loud\. Correct the value\."),
        (HEAD + "sources: [{kind: tool, count: x}]\n", r"\.count: should be a valid integer"),
        (
            HEAD + "sources:\n- kind: tool\n  releases: '(a'\n",
            r":4: .*releases: is not a pattern: missing \)",
        ),
        (HEAD + "sources: [{kind: tool, releases: '(?!a)'}]\n", r"releases: .*\(\?!\. .*no look-around"),
        (HEAD + "sources: [{kind: git}]\n", r":2: sources\[0\]\.repositories: is missing\. Add it\."),
        (
            HEAD + "sources: [{kind: git, repositories: [x], releases: '['}]\n",
            r"releases: is not a pattern: ",
        ),
        (
            HEAD + "sources: [{kind: git, repositories: ['ftp://h/x']}]\n",
            r"repositories.*: ftp://h/x: cannot",
        ),
        (
            HEAD + f"sources: [{{kind: git, repositories: ['https://me:{SECRET}@h/x']}}]\n",
            r"holds a password",
        ),
        (HEAD + TOOL + "services: {of: x}\n", r":3: services: must be a list\."),
        (HEAD + TOOL + "services: {from: tol}\n", r":3: services\.from: there is no source `tol`.*`tool`"),
        (HEAD + TOOL + "teams: {from: tool}\n", r":3: teams\.from: the source `tool` tells of no teams\."),
        (HEAD + TOOL + "teams: {from: 1}\n", r":3: teams\.from: must be text\."),
        (HEAD + TOOL + "teams: {from: tool, in: x}\n", r"teams\.in: is not a setting\. Known here: from\."),
        (HEAD + "sources: [{kind: tool, name: Push}]\n", r"name: is taken by the events"),
        (HEAD + TOOL + "services: [{name: a}]\n", r":3: services\[0\]\.repositories: is missing\."),
        (HEAD + TOOL + "services: [{name: a, repositories: []}]\n", r"repositories: must not be empty\."),
        (HEAD + TOOL + "services: [{name: a, repositories: [1]}]\n", r"repositories\[0\]: must be text\."),
        (HEAD + TOOL + "services: [{name: a, repositories: b}]\n", r"repositories: must be a list\."),
        (
            HEAD + TOOL + "teams: [{name: web}]\nservices: [{name: a, team: wib, repositories: [a]}]\n",
            r":4: services\[0\]\.team: there is no team `wib`\. Did you mean `web`\? Add `- name: wib`",
        ),
        (HEAD + TOOL + "teams: [{name: web, parent: x}]\n", r":3: teams\[0\]\.parent: there is no team `x`"),
        (
            HEAD + TOOL + "teams:\n- name: a\n- name: a\n",
            r":5: teams\[1\]\.name: `a` is taken by teams\[0\]\.",
        ),
        (
            HEAD + TOOL + "services:\n- {name: a, repositories: [a]}\n- {name: a, repositories: [b]}\n",
            r":5: services\[1\]\.name: `a` is taken by services\[0\]\. Give each a `name` of its own\.",
        ),
        (HEAD + "sources:\n- kind: tool\n- kind: tool\n", r":4: sources\[1\]\.name: `tool` is taken by sou"),
        (
            HEAD + "sources:\n- {kind: tool}\n- {kind: tool, name: Tool}\n",
            r":4: sources\[1\]\.name: .* taken",
        ),
        (
            HEAD + TOOL + "teams:\n- {name: a, parent: c}\n- {name: b, parent: a}\n- {name: c, parent: b}\n",
            r":4: teams\[0\]\.parent: goes in a circle: a → c → b → a\. Remove one of these parents\.",
        ),
        (HEAD + TOOL + "teams: [{name: a, parent: a}]\n", r"teams\[0\]\.parent: goes in a circle: a → a\."),
        (
            HEAD + "sources: [{kind: tool, token: ${TOKEN}}]\n",
            r"token: the environment variable TOKEN is not set or empty\. Run `export TOKEN=…` .* to \.env\.",
        ),
        ("organisation: ${A-B}\n" + TOOL, r":1: organisation: `\$\{` does not begin the name"),
        ("organisation: ${A\n" + TOOL, r":1: organisation: `\$\{` does not begin the name"),
        (
            HEAD + f"sources: [{{kind: tool, token: {SECRET}}}]\n",
            r"token: is a secret .*\. Write `\$\{NAME\}`",
        ),
        (HEAD + "sources: [{kind: tool, token: 1234}]\n", r"token: is a secret and must not stand in the fi"),
        (
            HEAD + f"sources: [{{kind: tool, tokens: [{SECRET}]}}]\n",
            r":2: sources\[0\]\.tokens\[0\]: is a sec",
        ),
        (
            HEAD + f"sources: [{{kind: tool, login: {{password: {SECRET}}}}}]\n",
            r":2: sources\[0\]\.login\.password: is a secret and must not stand in the file\.",
        ),
        (
            HEAD + f"sources: [{{kind: tool, url: 'https://me:{SECRET}@host/x'}}]\n",
            r":2: sources\[0\]\.url: holds a password, which must not stand in the file\. Write `\$\{NAME\}`",
        ),
    ],
)
def test_one_problem_is_one_line_that_says_where_what_and_how_to_mend_it(
    complaints: Callable[..., list[str]], text: str | bytes, expected: str
) -> None:
    (line,) = complaints(text)
    assert re.search(expected, line)
    assert re.match(r"cairn\.yaml:\d+: .+\. .+\.$", line)


def test_all_problems_are_told_at_once_and_in_order(complaints: Callable[..., list[str]]) -> None:
    lines = complaints(
        f"""organisation: Acme
timezone: Mars/Base
sources:
  - kind: tool
    token: {SECRET}
    releases: "(a"
    url: ${{MISSING}}
    count: many
  - {{kind: unheard-of, name: x y}}
services:
  - {{name: a, team: b, repositories: 1}}
teams:
  - {{name: a, parent: a, size: 3}}
platform: {{}}
"""
    )
    places = [re.sub(r"^cairn\.yaml:(\d+): ([^:]*):.*", r"\1 \2", line) for line in lines]
    assert places == [
        "2 timezone",
        "5 sources[0].token",
        "6 sources[0].releases",
        "7 sources[0].url",
        "8 sources[0].count",
        "9 sources[1].kind",
        "9 sources[1].name",
        "11 services[0].repositories",
        "11 services[0].team",
        "13 teams[0].size",
        "13 teams[0].parent",
        "14 platform",
    ]


def test_an_unknown_key_is_found_however_deep(complaints: Callable[..., list[str]]) -> None:
    (line,) = complaints(
        HEAD + "sources:\n  - kind: tool\n    login:\n      user: x\n      password: ${P}\n", P="x"
    )
    assert line == "cairn.yaml:5: sources[0].login.user: is not a setting. Remove it."


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
