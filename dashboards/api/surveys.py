"""`GET /api/v1/surveys`: released results. A group that is withheld has a status and no figure."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from dashboards.api import names, reading
from dashboards.api.asked import SurveyQuery
from dashboards.api.reading import Part
from pipelines.figures import described
from pipelines.warehouse import Snapshot

_KNOWN = {
    "wave": "select wave from marts.survey_wave",
    "item_id": "select distinct item_id from marts.survey_cell",
    "group_name": "select distinct group_name from marts.survey_cell",
}


def columns() -> tuple[str, ...]:
    """Of a row: those of the mart, and what is needed to draw it."""
    return (*described("marts/survey_cell"), "label", "opened_on")


async def surveys(request: Request) -> Response:
    """Results of the waves that are released."""
    return await reading.answer(request, SurveyQuery, columns(), _parts)


def _parts(snapshot: Snapshot, query: SurveyQuery) -> list[Part]:
    given = {
        "wave": query.wave,
        "item_id": query.item_id,
        "group_name": query.group_name,
        "statistic": query.statistic,
        "table_name": (query.table_name,) if query.table_name else (),
    }
    conditions: list[str] = []
    params: dict[str, object] = {}
    for column, values in given.items():
        if column in _KNOWN:
            # An empty group is the whole organisation.
            names.check(snapshot, column, [each for each in values if each], _KNOWN[column])
        condition, more = names.among(column, values)
        conditions.append(condition)
        params |= more
    return [
        Part(
            "cells",
            f"select * from marts.survey_cell where {' and '.join(conditions)}",
            """
            select found.* replace (to_json(found.counts) as counts), i.label, w.opened_on
            from found
            left join marts.survey_item as i using (wave, item_id)
            left join marts.survey_wave as w using (wave)
            """,
            dict.fromkeys(("wave", "item_id", "statistic", "table_name", "group_name"), "varchar"),
            params,
        )
    ]
