"""The settings of goals, digest and alerts: what is read, and what is refused with file, line and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import modelling
from pipelines.message_settings import units
from pipelines.workspace import Workspace, WorkspaceError, load

HEAD = """organisation: Acme
sources: [{kind: git, repositories: [/srv/x]}]
teams: [{name: Payments}]
"""
MAIL = "surveys: {public_url: 'https://c.example', from_address: c@acme.example, smtp: {host: m.example}}\n"


def read(folder: Path, text: str) -> Workspace:
    (folder / "cairn.yaml").write_text(HEAD + text)
    return load(folder / "cairn.yaml", {"HOOK": "https://hooks.example/T0/B0/s3cr3t"})


def test_the_units_are_those_of_the_models() -> None:
    metrics = {model.table: model.header.metric for model in modelling.models().values()}
    assert units() == {name: metric.unit for name, metric in metrics.items() if metric}


@pytest.mark.parametrize(
    ("goal", "bounds"),
    [
        ("metric: change_lead_time, at_most: 2d", (172_800, None)),
        ("metric: change_fail_rate, at_most: 15%", (0.15, None)),
        ("metric: change_fail_rate, at_most: 0.15", (0.15, None)),
        ('metric: reach, at_least: "80 %"', (None, 0.8)),
        ("metric: deployment_frequency, at_least: 3.5", (None, 3.5)),
    ],
)
def test_a_goal_is_written_in_its_metric_s_words(
    tmp_path: Path, goal: str, bounds: tuple[float | None, float | None]
) -> None:
    (read_goal,) = read(tmp_path, f"goals: [{{{goal}, team: Payments}}]\n").goals
    assert (read_goal.at_most, read_goal.at_least) == bounds
    assert read_goal.team == "Payments"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("goals: [{metric: lead_time, at_most: 2d}]", r":4: goals\[0\]\.metric: there is no metric"),
        ("goals: [{metric: change_lead_time, at_most: 2}]", r"goals\[0\]\.at_most: is no length of time"),
        ("goals: [{metric: change_fail_rate, at_most: 15}]", r"goals\[0\]\.at_most: is no share"),
        ("goals: [{metric: deployments, at_most: many}]", r"goals\[0\]\.at_most: should be a valid number"),
        ("goals: [{metric: deployments}]", r"goals\[0\]: needs one bound"),
        ("goals: [{metric: deployments, at_most: 1, at_least: 1}]", r"goals\[0\]: needs one bound"),
        ("goals: [{metric: deployments, at_most: 1, team: Nobody}]", r"goals\[0\]\.team: there is no team"),
        (
            "goals: [{metric: deployments, at_most: 1, team: Payments, service: x}]",
            r"goals\[0\]: names a team and a service",
        ),
        ("digest: {every: day, slack_webhook: '${HOOK}'}", r"digest\.every: should be"),
        ("digest: {}", r"digest: is told to nobody\. Add `to: \[ADDRESS\]` or"),
        ("digest: {to: [me@acme.example]}", r"digest: can be mailed by no server\. Add `smtp` to `surveys`"),
        (f"{MAIL}digest: {{to: [somebody]}}", r":5: digest\.to\[0\]: is no mail address"),
        ("alerts: {slack_webhook: 'https://hooks.example/T/s3cr3t'}", r"alerts\.slack_webhook: is a secret"),
        ("alerts: {slack_webhook: '${HOOK}', most_per_day: 0}", r"alerts\.most_per_day: should be greater"),
        ("alerts: {slack_webhok: '${HOOK}'}", r"alerts\.slack_webhok: is not a setting\. Did you mean"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(WorkspaceError, match=expected) as caught:
        read(tmp_path, text + "\n")
    assert "s3cr3t" not in str(caught.value)
    assert len(caught.value.problems) == 1


def test_what_is_told_shapes_no_figure(tmp_path: Path) -> None:
    plain = read(tmp_path, MAIL)
    telling = read(
        tmp_path,
        MAIL + "goals: [{metric: deployments, at_least: 1}]\ndigest: {to: [a@acme.example]}\n"
        "alerts: {slack_webhook: '${HOOK}'}\n",
    )
    assert telling.fingerprint() == plain.fingerprint()
    assert "s3cr3t" not in repr(telling)
