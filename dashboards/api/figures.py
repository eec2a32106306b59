"""`GET /api/v1/metrics` and `/adoption`: rows of the metrics, as `cairn metrics` prints them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from dashboards.api import asked, names, reading
from dashboards.api.asked import AdoptionQuery, MetricQuery
from dashboards.api.reading import Part
from pipelines.figures import ADOPTION_ROW_KEYS, ROW_KEYS
from pipelines.warehouse import Snapshot

_KEYS = {
    "organisation": "select organisation from marts.workspace",
    "team": "select team from marts.team",
    "service": "select service from marts.service",
    "repository": "select repository from marts.coverage",
    "tier": "select tier from marts.adoption_service where tier is not null",
    "kind": "select kind from marts.adoption_service where kind is not null",
}
"""Level → its keys."""
_PATHS = {"delivery": "/api/v1/metrics", "adoption": "/api/v1/adoption"}
"""Area of a metric → where it is."""
_TOLD_ONCE = ("metric", "unit", "definition")
"""The same in all rows of a metric."""


async def metrics(request: Request) -> Response:
    """Figures of delivery."""
    return await reading.answer(request, MetricQuery, ROW_KEYS, _metric_parts)


async def adoption(request: Request) -> Response:
    """Figures of the platform's use, of each capability and of the whole."""
    return await reading.answer(request, AdoptionQuery, ADOPTION_ROW_KEYS, _adoption_parts)


def _metric_parts(snapshot: Snapshot, query: MetricQuery) -> list[Part]:
    return [_part(metric, query) for metric in _metrics(snapshot, query, "delivery")]


def _adoption_parts(snapshot: Snapshot, query: AdoptionQuery) -> list[Part]:
    offers = [each for each in query.capability if each]
    names.check(snapshot, "capability", offers, "select capability from marts.capability")
    return [_part(metric, query) for metric in _metrics(snapshot, query, "adoption")]


def _metrics(snapshot: Snapshot, query: MetricQuery | AdoptionQuery, area: str) -> list[str]:
    """Names of the metrics that are asked for; raises `Problem` for metrics and keys that there are not."""
    names.check(snapshot, "key", query.key, _KEYS[query.level])
    areas = dict(snapshot.tuples("select metric, area from marts.metric_definition"))
    known = sorted(name for name in areas if areas[name] == area)
    errors = [
        {
            "parameter": "metric",
            "detail": f"is a metric of {areas[name]}",
            "mend": f"Ask {_PATHS[areas[name]]}",
        }
        if name in areas
        else names.unknown("metric", name, known)
        for name in query.metric
        if name not in known
    ]
    if errors:
        raise asked.refusal(errors)
    return [name for name in known if not query.metric or name in query.metric]


def _part(metric: str, query: MetricQuery | AdoptionQuery) -> Part:
    """A metric's rows; those of a long history are found without what is the same in all of them."""
    keys, params = names.among("key", query.key)
    conditions = ["level = $level", "grain = $grain", keys]
    params |= {"level": query.level, "grain": query.grain, "metric": metric}
    columns, place = [*ROW_KEYS], {"key": "varchar", "period_start": "date"}
    if query.since:
        conditions.append("period_end > $since")
        params["since"] = query.since
    if query.until:
        conditions.append("period_start < $until")
        params["until"] = query.until
    if isinstance(query, AdoptionQuery):
        # The platform as a whole, which has no capability, comes first.
        offers, more = names.among("offer", query.capability)
        conditions.append(offers)
        params |= more
        columns = [*ADOPTION_ROW_KEYS, "coalesce(capability, '') as offer"]
        place = {"offer": "varchar", **place}
    found = ", ".join(column for column in columns if column not in _TOLD_ONCE)
    return Part(
        metric,
        # The name is one of the snapshot's own.
        f'select {found} from marts."{metric}" where {" and ".join(conditions)}',
        f"select * from found cross join (select {', '.join(_TOLD_ONCE)} from marts.metric_definition"
        " where metric = $metric)",
        place,
        params,
    )
