"""What happened when: the annotations that are about a scope, and when capabilities came and went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from dashboards.queries.scope import Frames, Scope
from pipelines.annotating import Annotation

_TEAMS = {
    "organisation": "select null as team where false",
    "team": """
        with recursive above as (
            select $key as team
            union
            select t.parent from above inner join marts.team as t using (team) where t.parent is not null
        )
        from above
    """,
    "service": "select team from marts.tenure where service = $key and valid_until = 'infinity'",
}
"""The teams that a scope is a part of, by its level."""


def notes(
    source: Frames, known: Sequence[Annotation], scope: Scope, since: date, until: date
) -> pd.DataFrame:
    """Those of the annotations that are about the scope, or all of which it is a part: `date, text`."""
    teams = source.frame(_TEAMS[scope.level], scope.params)["team"]
    about: set[tuple[str, str | None]] = {("organisation", None), (scope.level, scope.key)}
    about |= {("team", team) for team in teams} | {("capability", scope.capability)}
    shown = [
        (each.date, each.text)
        for each in known
        if (each.level, each.key) in about and since <= each.date < until
    ]
    return pd.DataFrame(shown, columns=["date", "text"]).astype({"date": "datetime64[us]"})


def launches(source: Frames, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """When the capability, or any where none is chosen, was first offered, mandated and retired."""
    return source.frame(
        """
        with told as (
            select introduced_on as date, title || ' is offered' as text, capability from marts.capability
            union all
            select mandated_on, title || ' is mandated', capability from marts.capability
            union all
            select retired_on, title || ' is retired', capability from marts.capability
        )

        select date::timestamp as date, text
        from told
        where date >= $since and date < $until and capability = coalesce($capability, capability)
        order by all
        """,
        {"since": since, "until": until, "capability": scope.capability},
    )
