"""The settings `platform`: what they accept, what is said of others, and the examples in the reference."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

from pipelines.evidence_rules import KINDS, EvidenceRule
from pipelines.platform_settings import PlatformConfig, ServiceFilter
from pipelines.workspace import Workspace, WorkspaceError, load

REFERENCE = Path(__file__).parents[2] / "docs" / "workspace.md"
HEAD = "organisation: Acme\nsources: [{kind: git, repositories: [/srv/x]}]\nplatform:\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], PlatformConfig]:
    def read(text: str) -> PlatformConfig:
        (tmp_path / "cairn.yaml").write_text(HEAD + text)
        return load(tmp_path / "cairn.yaml", {}).platform

    return read


def test_what_the_platform_offers(read: Callable[[str], PlatformConfig]) -> None:
    platform = read(
        """
  capabilities:
    - name: path
      formerly: [road]
      cadence: 14d
      mandates: [{from: 2026-01-01, by: CTO, teams: [web]}]
      versions: {from: ci}
      evidence: [{image: x}]
"""
    )
    (one,) = platform.capabilities
    assert (one.title, one.cadence, one.kind, one.eligible) == (
        None,
        timedelta(days=14),
        "capability",
        ServiceFilter(),
    )
    assert (one.mandates[0].since, one.mandates[0].teams) == (date(2026, 1, 1), ("web",))
    assert platform != PlatformConfig()


def rules(*evidence: str) -> str:
    return "  capabilities:\n  - name: a\n    evidence:\n" + "".join(f"    - {one}\n" for one in evidence)


ONE = rules("{image: x}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            rules("{image: x/platform/*, example: FROM x/platfrm/a:1 AS b}"),
            r":7: platform\.capabilities\[0\]\.evidence\[0\]\.example: is not matched by .*: it is the image",
        ),
        (
            rules("{workflow: a/b, example: 'uses: a/b@v1'}"),
            r"is no workflow: it is the action `a/b`\. Make it a rule `action",
        ),
        (
            rules("{template: web, example: default/website}"),
            r"matched by `template: default/web`: .* `default/website`",
        ),
        (rules("{annotation: a.b/c=x*, example: 'a.b/c: y'}"), r"it is the annotation `a\.b/c=y`"),
        (rules("{module: x, example: 'git::https://[x'}"), r"example: names an address that is none"),
        (rules("{step: '('}"), r":7: .*evidence\[0\]\.step: is not a pattern: missing \)"),
        (rules("{image: x, chart: y}"), r":7: .*evidence\[0\]: is of several kinds: image and chart"),
        (rules("{}"), r":7: .*evidence\[0\]: says not what to look for\. Name one of template, workflow"),
        (rules("{imge: x}"), r"evidence\[0\].*: is not a setting"),
        (rules("{image: x}", "{image: x}"), r":8: .*evidence\[1\]: is there twice"),
        (rules(), r"evidence: has no value"),
        (ONE + "  - {name: b, formerly: [a], evidence: [{image: y}]}", r":8: .*formerly\[0\]: `a` is taken"),
        (ONE + "    cadence: 3h", r"cadence: .*1 day"),
        (
            ONE + "    introduced_at: 2026-01-02\n    retired_at: 2026-01-01",
            r"capabilities\[0\]: is retired before",
        ),
        (ONE + "    mandates: [{by: CTO}]", r"mandates\[0\]\.from: is missing"),
        (
            ONE + "  checks: [{name: c, capability: A}]",
            r":8: .*checks\[0\]\.capability: there is no capability `A`",
        ),
        (ONE + "  checks: [{name: c}]", r"checks\[0\]: has to name either"),
        (ONE + "  checks: [{name: c, capability: a, weight: 0}]", r"weight: .*greater than 0"),
        (
            ONE + "  checks: [{name: c, capability: a, current: true}]",
            r"current: cannot be told without versions",
        ),
        (
            ONE + "  checks: [{name: c, evidence: [{image: x}], current: true}]",
            r"cannot tell what is current",
        ),
        (
            ONE + "  checks: [{name: c, capability: a}, {name: c, capability: a}]",
            r"checks\[1\]\.name: `c` is taken",
        ),
        (
            ONE + "  migrations: [{name: m, to: b, started_at: 2026-01-01}]",
            r"\.to: there is no capability `b`",
        ),
        (ONE + "  migrations: [{name: m, to: a}]", r"started_at: is missing"),
        ("  capability: []", r"platform\.capability: is not a setting\. Did you mean `capabilities`"),
        ("  capabilities: path", r"platform\.capabilities: must be a list"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(read: Callable[[str], Workspace], text: str, expected: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        read(text)
    (line,) = str(caught.value).splitlines()
    assert re.search(expected, line), line


def test_the_example_in_the_reference_is_read(read: Callable[[str], PlatformConfig]) -> None:
    text = REFERENCE.read_text().split("\n## Platform\n")[1]
    (example,) = re.findall(r"^```text\nplatform:\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [one.name for one in read(example).capabilities] == ["golden-path", "postgres"]


def test_there_is_an_example_of_each_kind_that_it_matches(read: Callable[[str], PlatformConfig]) -> None:
    text = REFERENCE.read_text().split("\n### `evidence` of platform\n")[1].split("\n### ")[0]
    table = re.findall(r"^\| `(\{.*?\})` \| (.*) \|$", text, re.MULTILINE)
    shown = [EvidenceRule.model_validate(yaml.safe_load(rule)) for rule, _ in table]
    assert sorted(rule.kind for rule in shown) == sorted(KINDS)
    for (rule, matches), parsed in zip(table, shown, strict=True):
        if parsed.kind in {"workflow", "action", "image", "module", "template"}:
            example = re.findall(r"`([^`]+)`", matches)[0]
            read(rules(rule.removesuffix("}") + f", example: '{example}'}}"))
