"""Each setting of a workspace: what it accepts, what it makes of it, and that it is documented."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import connectors
from pipelines.annotation_settings import AnnotationConfig
from pipelines.evidence_rules import EvidenceRule
from pipelines.message_settings import AlertsConfig, DigestConfig, GoalConfig
from pipelines.platform_settings import (
    CapabilityConfig,
    CheckConfig,
    MandateConfig,
    MigrationConfig,
    PlatformConfig,
    ServiceFilter,
)
from pipelines.sign_in_settings import RolesConfig, SignInConfig
from pipelines.survey_settings import RosterConfig, SmtpConfig, SurveysConfig
from pipelines.workspace import (
    CalendarConfig,
    ProductionConfig,
    ServiceConfig,
    SourceConfig,
    TeamConfig,
    Workspace,
    WorkspaceError,
    load,
)

REFERENCE = Path(__file__).parents[2] / "docs" / "workspace.md"
HEAD = "organisation: Acme\nsources: [{kind: git, repositories: [/srv/x]}]\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Workspace]:
    """The workspace of a file that begins with `HEAD`."""

    def read(text: str) -> Workspace:
        (tmp_path / "cairn.yaml").write_text(HEAD + text)
        return load(tmp_path / "cairn.yaml", {})

    return read


def test_what_figures_are_made_by(read: Callable[[str], Workspace]) -> None:
    plain = read("")
    assert plain.failure_window == timedelta(hours=24)
    assert (plain.hotfix_labels, plain.include_bots, plain.production.jobs) == (("hotfix",), False, ())
    assert plain.calendar == CalendarConfig(weekend=("saturday", "sunday"))
    said = read(
        """
failure_window: 90m
hotfix_labels: [urgent, sev1]
include_bots: true
production: {environments: [^eu$], jobs: ['^deploy', '^rollout$']}
calendar: {country: DE, subdivision: BY, weekend: [friday]}
"""
    )
    assert said.failure_window == timedelta(minutes=90)
    assert (said.hotfix_labels, said.include_bots) == (("urgent", "sev1"), True)
    assert said.production == ProductionConfig(environments=("^eu$",), jobs=("^deploy", "^rollout$"))
    assert said.calendar == CalendarConfig(country="DE", subdivision="BY", weekend=("friday",))
    assert said.fingerprint() != plain.fingerprint()


def test_whose_services_are_and_where(read: Callable[[str], Workspace]) -> None:
    workspace = read(
        """
services:
  - {name: shop, team: web, repositories: [mono], paths: [/services/shop/, ./libs//cart]}
  - {name: bank, team: [web, pay], repositories: [mono]}
teams:
  - {name: web, timezone: Asia/Tokyo, calendar: {country: JP}}
  - {name: pay}
"""
    )
    assert workspace.services == (
        ServiceConfig(
            name="shop", team=("web",), repositories=("mono",), paths=("services/shop", "libs/cart")
        ),
        ServiceConfig(name="bank", team=("web", "pay"), repositories=("mono",)),
    )
    assert workspace.teams == (
        TeamConfig(name="web", timezone="Asia/Tokyo", calendar=CalendarConfig(country="JP")),
        TeamConfig(name="pay"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("production: {jobs: ['(']}", r"production\.jobs\[0\]: is not a pattern: missing \)"),
        ("production: {jobs: deploy}", r"production\.jobs: must be a list\."),
        ("hotfix_labels: urgent", r"hotfix_labels: must be a list\."),
        ("hotfix_labels: ['']", r"hotfix_labels\[0\]: must not be empty\."),
        ("include_bots: maybe", r"include_bots: should be a valid boolean"),
        ("calendar: {country: Germany}", r"calendar\.country: no holidays are known of a country `Germany`"),
        ("calendar: {country: UK}", r"calendar\.country: .* two letters of ISO 3166, such as `DE`\."),
        (
            "calendar: {country: DE, subdivision: Bavaria}",
            r"calendar\.subdivision: no holidays are known of `Bavaria` in DE\. .*Known of DE: BB, BE",
        ),
        ("calendar: {country: EE, subdivision: X}", r"subdivision: .* `X` in EE\. Remove it\."),
        ("calendar: {subdivision: BY}", r"calendar\.subdivision: is a part of no country\. Add `country`\."),
        ("calendar: {weekend: [someday]}", r"calendar\.weekend\[0\]: should be 'monday', 'tuesday'"),
        (
            "calendar: {weekend: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]}",
            r"calendar\.weekend: .*at most 6",
        ),
        ("calendar: {zone: UTC}", r"calendar\.zone: is not a setting\. (Known here|Remove)"),
        ("teams: [{name: a, timezone: Mars}]", r"teams\[0\]\.timezone: there is no timezone `Mars`"),
        ("teams: [{name: a, calendar: {country: XX}}]", r"teams\[0\]\.calendar\.country: no holidays"),
        (
            "teams: [{name: a}]\nservices: [{name: s, team: [a, b], repositories: [x]}]",
            r":4: services\[0\]\.team\[1\]: there is no team `b`",
        ),
        ("services: [{name: s, team: 1, repositories: [x]}]", r"services\[0\]\.team: must be text\."),
        *(
            (
                f"services: [{{name: s, repositories: [x], paths: ['{path}']}}]",
                r"services\[0\]\.paths\[0\]: is no folder of a repository\. Write it from .* top",
            )
            for path in ("/", ".", "a/../b", "services/*")
        ),
    ],
)
def test_what_is_wrong_with_one_is_said_in_a_line(
    read: Callable[[str], Workspace], text: str, expected: str
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        read(text)
    (line,) = str(caught.value).splitlines()
    assert re.search(expected, line)


def _section(heading: str) -> str:
    found = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"docs/workspace.md has no section {heading!r}"
    return found[1]


@pytest.mark.parametrize(
    ("heading", "model", "left_out"),
    [
        ("Top level", Workspace, set()),
        ("Sources", SourceConfig, {"options"}),
        ("Services", ServiceConfig, set()),
        ("Teams", TeamConfig, set()),
        ("Production", ProductionConfig, set()),
        ("Calendar", CalendarConfig, set()),
        ("Platform", PlatformConfig, set()),
        ("`capabilities` of platform", CapabilityConfig, set()),
        ("`mandates` of a capability", MandateConfig, {*ServiceFilter.model_fields}),
        ("`evidence` of platform", EvidenceRule, set()),
        ("`checks` of platform", CheckConfig, set()),
        ("`migrations` of platform", MigrationConfig, set()),
        ("Filters of services", ServiceFilter, set()),
        ("Annotations", AnnotationConfig, set()),
        ("Goals", GoalConfig, set()),
        ("Digest", DigestConfig, set()),
        ("Alerts", AlertsConfig, set()),
        ("Surveys", SurveysConfig, set()),
        ("`roster` of surveys", RosterConfig, set()),
        ("`smtp` of surveys", SmtpConfig, set()),
        ("Sign-in", SignInConfig, set()),
        ("`roles` of sign-in", RolesConfig, set()),
        *((f"kind: {kind}", None, set()) for kind in connectors.kinds()),
    ],
)
def test_every_setting_is_documented_and_no_other(
    heading: str, model: type[BaseModel] | None, left_out: set[str]
) -> None:
    model = model or connectors.connector_type(heading.removeprefix("kind: ")).options_type
    rows = {
        row[1]: row[2].strip()
        for row in re.finditer(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|", _section(heading), re.MULTILINE)
    }
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert rows.keys() == fields.keys() - left_out
    for name, default in rows.items():
        field = fields[name]
        if isinstance(field.default, str):
            assert default == f"`{field.default}`"
        else:
            assert (default == "required") == field.is_required() or (heading, name) == ("Sources", "name")


def test_the_example_in_the_reference_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "cairn.yaml").write_text(example)
    workspace = load(tmp_path / "cairn.yaml", {})
    assert [source.name for source in workspace.sources] == ["git", "firmware"]
    options: Any = workspace.sources[0].options
    assert os.path.normpath(options.repositories[0]) == str(tmp_path.parent / "shop")
    assert options.repositories[1:] == ("/srv/git/*.git", "https://git.example.com/payments.git")
