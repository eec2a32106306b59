"""For the platform team: who uses the platform, who left it, and can that be trusted?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from dashboards import cards, queries, words
from dashboards.health import ON_PURPOSE
from dashboards.landings.answer import Fact, answer
from dashboards.view import View

FIGURES: tuple[queries.Metric, ...] = ("reach", "depth", "churn")


def show(view: View) -> None:
    """Reach, who left, what is used least, how migrations go, and what the figures lack."""
    answer("Who uses the platform, and who left?", [*_facts(view)])
    cards.row(view, *FIGURES, with_trend=True)


def _facts(view: View) -> Iterator[Fact]:
    known = queries.capabilities(view.source)
    if known.empty:
        yield Fact("widgets", "The workspace does not say yet **what the platform offers**.", "adoption",
            "How to")  # fmt: skip
    else:
        titles = dict(zip(known["capability"], known["title"].map(words.plain), strict=True))
        if (reach := cards.last(view, "reach")) is not None:
            yield _reach(view, reach)
        yield _left(view, titles)
        yield from _least_used(known)
    for row in queries.migrations(view.source).dropna(subset="scope").to_dict("records"):
        by = "cannot be told" if pd.isna(row["finish_50_on"]) else f"by {words.day(row['finish_50_on'])}"
        yield Fact(
            "moving",
            f"**{words.plain(row['title'])}**: {row['done']:,.0f} of {row['scope']:,.0f} services done;"
            f" all, as likely as not: {by}.",
            "migrations",
            "Migrations",
        )
    yield _trust(view)


def _reach(view: View, reach: pd.Series) -> Fact:
    said = (
        f"**{words.share(reach['value'])} of services use the platform** in"
        f" {words.period(reach['period_start'], view.grain)}, {words.interval(reach)}."
    )
    return Fact("group", said, "adoption", "Adoption")


def _left(view: View, titles: dict[str, str]) -> Fact:
    """Teams that left something in the days shown, and the latest of them."""
    when = words.span(view.since, view.until)
    changes = queries.team_changes(view.source, view.scope, view.since, view.until)
    left = changes[changes["change"].eq("left")]
    if left.empty:
        return Fact("group", f"**No team left** a capability in {when}.", "adoption", "Adoption")
    last = left.iloc[0]
    instead = ", ".join(titles.get(each, words.plain(each)) for each in last["instead"])
    said = (
        f"**{words.count(left['team'].nunique(), 'team')} left** a capability in {when}; the latest was"
        f" {words.plain(last['team'])}, {titles[last['capability']]}, on {words.day(last['changed_on'])}"
    )
    return Fact("group_remove", f"{said}{f', for {instead}' if instead else ''}.", "adoption", "Who left")


def _least_used(known: pd.DataFrame) -> Iterator[Fact]:
    """The capability that is offered still, and that the smallest share of services uses."""
    offered = known[known["retired_on"].isna() & known["eligible_services"].gt(0)]
    shares = offered["using_services"] / offered["eligible_services"]
    if shares.count() > 1:
        least = offered.iloc[int(shares.argmin())]
        said = (
            f"**{words.plain(least['title'])}** is used least: by {least['using_services']:,.0f} of"
            f" {least['eligible_services']:,.0f} services that could."
        )
        yield Fact("arrow_downward", said, "adoption", "Adoption")


def _trust(view: View) -> Fact:
    """What the figures lack most."""
    found = queries.data_quality(view.source)
    lacking = found[found["affected"].gt(0) & found["kind"].ne(ON_PURPOSE)]
    if lacking.empty:
        said = "**Nothing is missing**: everything that was read could be matched."
        return Fact("verified", said, "data-health", "Data health")
    worst = lacking.iloc[0]
    said = (
        f"**{words.share(worst['share'])} of {words.plain(worst['affects'])}** are affected by what could not"
        f" be placed: {words.sentence(words.capital(worst['kind']))}."
    )
    return Fact("troubleshoot", said, "data-health", "Data health")
