"""`cairn doctor`: is the configuration sound, are the sources reachable, is the data fresh and matched?"""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

import connectors
from connectors.connector import Context, Problem, SourceError
from connectors.http import Client
from pipelines import status, warehouse
from pipelines.home import Home
from pipelines.warehouse import Snapshot
from pipelines.workspace import TakenFrom, Workspace

_LISTED = 20
"""With more repositories, those with nothing wrong share one line."""


def run(home: Home, workspace: Workspace, console: Console) -> int:
    """Print what was found, a line each; 1 if something is wrong, else 0."""
    report = _Report(console)
    report.good(
        f"{workspace.organisation}: {len(workspace.sources)} source(s), days cut in {workspace.timezone}"
    )
    _check_sources(home, workspace, report)
    _check_sign_in(workspace, report)
    _check_freshness(home, workspace, report)
    _check_matching(home, workspace, report)
    console.print(f"\n{report.wrong} thing(s) to mend." if report.wrong else "\nNothing is wrong.")
    return 1 if report.wrong else 0


class _Report:
    def __init__(self, console: Console) -> None:
        self._console = console
        self.wrong = 0

    def good(self, text: str) -> None:
        self._line("[green]ok   [/]", text)

    def note(self, text: str) -> None:
        self._line("[yellow]note [/]", text)

    def bad(self, text: str, mend: str) -> None:
        self.wrong += 1
        self._line("[red]wrong[/]", f"{text} {mend}")

    def _line(self, mark: str, text: str) -> None:
        self._console.print(f"{mark} {escape(text)}", soft_wrap=True)


def _check_sources(home: Home, workspace: Workspace, report: _Report) -> None:
    home.create()
    for source in workspace.sources:
        context = Context(cache=home.mirrors / source.name, identity_key=home.identity_key())
        connector = connectors.connector_type(source.kind)(source.name, source.options, context)
        try:
            findings = list(connector.check())
        except SourceError as error:
            report.bad(f"{source.name}: {error}", error.mend)
            continue
        for finding in findings:
            if isinstance(finding, Problem):
                report.bad(f"{source.name}: {finding.scope}: {finding.message}", finding.mend)
            else:
                report.note(f"{source.name}: {finding.scope}: {finding.message}")
        if not any(isinstance(finding, Problem) for finding in findings):
            report.good(f"{source.name}: reachable")


def _check_sign_in(workspace: Workspace, report: _Report) -> None:
    sign_in = workspace.sign_in
    if sign_in is None:
        return
    try:
        with Client(sign_in.issuer, retries=1) as client:
            said = client.get("/.well-known/openid-configuration", stream="sign_in").body
    except SourceError as error:
        report.bad(f"sign_in: {error}", error.mend)
        return
    issuer = str(said.get("issuer", "nothing")) if isinstance(said, dict) else "nothing"
    if issuer.rstrip("/") != sign_in.issuer:
        report.bad(f"sign_in: the provider calls itself {issuer}.", "Set `issuer` to that, if it is yours.")
    else:
        callback = f"{sign_in.public_url}/sign-in/callback"
        report.good(f"sign_in: the provider is reachable; it is to know the redirect URI {callback}")


def _check_freshness(home: Home, workspace: Workspace, report: _Report) -> None:
    known = status.read(home)
    now = datetime.now(UTC)
    for source in workspace.sources:
        last = known.sources.get(source.name)
        if last is None:
            report.bad(f"{source.name}: never synced.", "Run `cairn sync`.")
            continue
        if last.succeeded_at is None:
            report.bad(
                f"{source.name}: no sync has read all of it.",
                "Mend what `cairn sync` says, and run it again.",
            )
        elif now - last.succeeded_at > status.STALE_AFTER:
            hours = (now - last.succeeded_at).total_seconds() / 3600
            report.bad(
                f"{source.name}: last read in full {hours:,.0f} hours ago.",
                "Run `cairn sync`, or keep `cairn up` running.",
            )
        else:
            report.good(f"{source.name}: read in full {last.succeeded_at:%Y-%m-%d %H:%M} UTC")
        for problem in [*([last.error] if last.error else []), *last.problems]:
            report.bad(f"{source.name}: last sync: {problem.scope}: {problem.message}", problem.mend)


def _check_matching(home: Home, workspace: Workspace, report: _Report) -> None:
    try:
        snapshot = warehouse.published(home)
    except warehouse.WarehouseError as error:
        report.bad(str(error), "")
        return
    if snapshot is None:
        report.bad("Nothing is published yet.", "Run `cairn sync`.")
        return
    _check_services(snapshot, workspace, report)
    _check_repositories(snapshot, report)
    _check_production(snapshot, workspace, report)
    _check_evidence(snapshot, report)
    _check_quality(snapshot, report)


def _check_services(snapshot: Snapshot, workspace: Workspace, report: _Report) -> None:
    matched = {row["service"] for row in snapshot.rows("select service from marts.service")}
    for service in () if isinstance(workspace.services, TakenFrom) else workspace.services:
        if service.name not in matched:
            report.bad(
                f"{service.name}: no repository is called {' or '.join(service.repositories)}.",
                "Correct `repositories` of the service; `cairn doctor` lists the names.",
            )
    for row in snapshot.rows("select team from marts.team where services = 0"):
        report.note(f"{row['team']}: a team without services")


def _check_repositories(snapshot: Snapshot, report: _Report) -> None:
    coverage = snapshot.rows("from marts.coverage")
    for row in coverage:
        name = f"{row['source']}: {row['repository']}"
        if row["service"] is None:
            report.note(
                f"{name}: of no service; its figures are in no service's, team's or the organisation's"
            )
        if row["undated_release_tags"]:
            report.note(
                f"{name}: {row['undated_release_tags']} release tag(s) without a usable date; no deployments"
            )
        if not row["commits"] or row["service"] is None:
            continue
        if row["deployments"] == 0:
            report.bad(
                f"{name}: no deployment is known: none to production is recorded, and none of its"
                f" {row['tags']} tag(s) matches releases {row['releases']}.",
                "Set `production` to the environments that are, or `releases` to the pattern of its tags.",
            )
        elif len(coverage) <= _LISTED:
            report.good(
                f"{name}: {row['commits']:,} commits, {row['deployments']:,} deployments,"
                f" {row['commits_not_deployed']:,} commits not deployed"
            )
    if len(coverage) > _LISTED:
        commits, deployments = (sum(row[key] for row in coverage) for key in ("commits", "deployments"))
        report.good(f"{len(coverage):,} repositories: {commits:,} commits, {deployments:,} deployments")


def _check_production(snapshot: Snapshot, workspace: Workspace, report: _Report) -> None:
    if snapshot.rows("from marts.environment limit 1"):
        for row in snapshot.rows(
            "select pattern from (select unnest(?) as pattern) as p where not exists ("
            "from marts.environment as e where regexp_full_match(e.environment, p.pattern, 'i'))",
            [[*workspace.production.environments]],
        ):
            report.note(f"production.environments: no environment matches {row['pattern']}")
    for row in snapshot.rows(
        "select source, list(environment order by deployments desc) as names, sum(deployments) as deployments"
        " from marts.environment where not is_production group by source order by source"
    ):
        names = [str(name) for name in row["names"]]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        report.note(
            f"{row['source']}: not production, and in no figure: {row['deployments']:,.0f} deployment(s) to"
            f" {', '.join(names[:5])}{more}"
        )


_READ_BY = {
    "template": "a source of kind backstage reads them",
    "annotation": "a source of kind backstage reads those of its `annotations`",
    "label": "sources of kind kubernetes and backstage read those of their `labels`",
    "step": "sources of CI read them as far back as their `jobs` or `stages` say",
    "event": "others push them to Cairn, or export them to files",
    "ticket": "others push them to Cairn, or export them to files",
}


def _check_evidence(snapshot: Snapshot, report: _Report) -> None:
    """Evidence rules, and which of them match nothing that was seen so far."""
    rules = snapshot.rows("from marts.evidence_rule order by rule_id")
    if rules and any(row["things"] for row in rules):
        matched = sum(row["things"] > 0 for row in rules)
        report.good(f"{matched} of {len(rules)} evidence rule(s) match something")
    for row in rules:
        rule = f"platform: {row['capability']}: the rule `{row['kind']}: {row['pattern']}`"
        if row["alike"]:
            report.note(f"{rule} has matched nothing so far; there is {', '.join(row['alike'])}")
        elif not row["things"]:
            read_by = _READ_BY.get(row["kind"], "sources with `evidence: true` read them in repositories")
            report.note(f"{rule} has matched nothing so far: no {row['kind']} was seen; {read_by}")


def _check_quality(snapshot: Snapshot, report: _Report) -> None:
    """What could not be matched, unless it was named one by one before."""
    for row in snapshot.rows(
        "from marts.data_quality where things > 0"
        " and kind not in ('repository_without_service', 'environment_not_production')"
    ):
        report.note(
            f"{row['kind'].replace('_', ' ')}: {row['things']:,} of {row['of_things']:,}, which affects"
            f" {row['share'] or 0:.1%} of {row['affects']}. {row['meaning']}"
        )
    for row in snapshot.rows(
        "select repository, left_out, count(distinct change_id) as changes from marts.change"
        " where left_out in ('negative', 'undated') group by all order by all"
    ):
        reason = "before they were written" if row["left_out"] == "negative" else "without a usable date"
        report.note(
            f"{row['repository']}: {row['changes']} change(s) deployed {reason}; left out of lead time"
        )
    for row in snapshot.rows("from marts.quarantine"):
        report.note(
            f"{row['source']}: {row['records']} {row['stream']} record(s) in quarantine: {row['reason']}"
        )
