"""Evidence rules: what shows that a capability is used, each held against an example of what it matches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, Self, get_args

from pydantic import model_validator

from connectors.evidence import EvidenceFault, example
from pipelines.config_file import ConfigFile, Location, refusal
from pipelines.setting_types import Name, Settings

RuleKind = Literal[
    "template",
    "workflow",
    "action",
    "include",
    "component",
    "image",
    "chart",
    "module",
    "kustomize",
    "annotation",
    "label",
    "step",
    "event",
    "ticket",
]
KINDS: tuple[RuleKind, ...] = get_args(RuleKind)

_MACROS = Path(__file__).with_name("models") / "macros.sql"


class EvidenceRule(Settings):
    """One kind of thing and its name, whatever the case; `*` stands for anything."""

    template: Name | None = None
    """Backstage's template that was run, or that a component was made from: `default/web-service`."""
    workflow: Name | None = None
    """GitHub's reusable workflow, used in a workflow file or run: `acme/ci/.github/workflows/deliver.yml`."""
    action: Name | None = None
    """Action that a workflow file uses: `acme/deploy-action`."""
    include: Name | None = None
    """File of another project that GitLab's CI configuration includes: `acme/ci/templates/deliver.yml`."""
    component: Name | None = None
    """GitLab's CI component, without its host: `acme/components/deliver`."""
    image: Name | None = None
    """Image that a Dockerfile builds from: `registry.acme.example/platform/*`."""
    chart: Name | None = None
    """Helm chart, with where it is kept: `charts.acme.example/web-service`."""
    module: Name | None = None
    """Terraform module: `acme/postgres/aws`, `github.com/acme/modules//postgres`."""
    kustomize: Name | None = None
    """Base or component that a kustomization takes from elsewhere: `github.com/acme/bases//web`."""
    annotation: Name | None = None
    """Annotation of a catalogue's component: `acme.example/slo`, or of one value: `acme.example/db=pg`."""
    label: Name | None = None
    """Label of a workload, or of a catalogue's component, likewise."""
    step: Name | None = None
    """Job or stage of CI that ran: an RE2 pattern, searched for in its name."""
    event: Name | None = None
    """What others push to Cairn, or export to files, by the name they give it."""
    ticket: Name | None = None
    """Likewise, of a request by ticket for what the capability gives by itself: it is no use of it."""
    example: Name | None = None
    """What it matches, as it stands in the file or the tool: it is an error where it does not."""

    @property
    def kind(self) -> RuleKind:
        """Which kind of thing it is about."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def pattern(self) -> str:
        """What names of things of that kind are held against."""
        pattern = str(getattr(self, self.kind)).removeprefix(f"{self.kind}:")
        return f"default/{pattern}" if self.kind == "template" and "/" not in pattern else pattern

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if not given:
            raise refusal("says not what to look for", f"Name one of {', '.join(KINDS)}")
        if len(given) > 1:
            raise refusal(f"is of several kinds: {' and '.join(given)}", "Make each a rule of its own")
        return self


class Placed(NamedTuple):
    """A rule, and where it stands in the file."""

    location: Location
    rule: EvidenceRule


def check(file: ConfigFile, rules: Iterable[Placed]) -> None:
    """Note patterns that are none, and examples that their rules do not match."""
    waiting = [(each, thing) for each in rules for thing in _examples(file, each)]
    for each in _unmatched(waiting):
        kind, pattern = each[0].rule.kind, each[0].rule.pattern
        file.add(
            (*each[0].location, "example"),
            f"is not matched by `{kind}: {pattern}`: it is the {kind} `{each[1]}`",
            "Correct the pattern or the example; in a pattern `*` stands for anything",
        )


def _examples(file: ConfigFile, placed: Placed) -> Iterator[str]:
    """The name of what the rule's example is, where it has one that can be read."""
    location, rule = placed
    if rule.example is None:
        return
    try:
        thing = example(rule.kind, rule.example)
    except EvidenceFault as fault:
        file.add((*location, "example"), str(fault), "Write it as it stands in the file or the tool")
        return
    kind, _, name = thing.partition(":")
    if kind == rule.kind:
        yield name
    else:
        mend = f"Make it a rule `{kind}: {name}`, or correct the example"
        file.add((*location, "example"), f"is no {rule.kind}: it is the {kind} `{name}`", mend)


def _unmatched(waiting: list[tuple[Placed, str]]) -> Iterator[tuple[Placed, str]]:
    if not waiting:
        return
    import duckdb  # Takes longer than the rest of the settings together.

    with duckdb.connect(":memory:") as database:
        database.execute(_MACROS.read_text())
        for placed, name in waiting:
            rule = placed.rule
            asked = [rule.kind, rule.pattern, name]
            try:
                (row,) = database.execute("select rule_matches($1, $2, $3)", asked).fetchall()
            except duckdb.Error:
                continue  # Its pattern is none, which is said of the pattern.
            if not row[0]:
                yield placed, name
