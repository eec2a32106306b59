"""Annotations on a chart: those that are about what it shows."""

from __future__ import annotations

import pandas as pd

from dashboards import queries, words
from dashboards.view import View
from pipelines import annotating
from pipelines.annotating import Annotation, AnnotationError
from pipelines.home import Home


def of(view: View, metric: queries.Metric) -> pd.DataFrame:
    """What happened to the scope in the period shown: `date, text`; of adoption with what was launched."""
    span = view.since, view.until
    found = queries.notes(view.source, known(), view.scope, *span)
    if queries.definition(view.source, metric)["area"] == "adoption":
        found = pd.concat([found, queries.launches(view.source, view.scope, *span)], ignore_index=True)
    return found.sort_values(["date", "text"], ignore_index=True)


def said(notes: pd.DataFrame) -> str:
    """For those who do not see the chart: `; 2 Mar 2026: Reorganisation`."""
    return "".join(f"; {each}" for each in words.noted(notes))


def known() -> tuple[Annotation, ...]:
    """All annotations; none where they cannot be read, which the page Annotations says."""
    try:
        return annotating.read(Home.from_env())
    except AnnotationError:
        return ()
