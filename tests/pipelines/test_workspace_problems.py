"""What is said of a workspace file that is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

from tests.pipelines import workspace_file
from tests.pipelines.workspace_file import HEAD, SECRET, TOOL

complaints, read, tool = workspace_file.complaints, workspace_file.read, workspace_file.tool


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
        (HEAD + TOOL + "wishes: {}\n", r":3: wishes: is not a setting\. Known here: org"),
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
budgets: {{}}
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
        "14 budgets",
    ]


def test_an_unknown_key_is_found_however_deep(complaints: Callable[..., list[str]]) -> None:
    (line,) = complaints(
        HEAD + "sources:\n  - kind: tool\n    login:\n      user: x\n      password: ${P}\n", P="x"
    )
    assert line == "cairn.yaml:5: sources[0].login.user: is not a setting. Remove it."
