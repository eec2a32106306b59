"""A service among its peers: services of the same tier and kind, without their names."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboards.queries.metrics import Metric
from dashboards.queries.scope import Frames


def traits(source: Frames, service: str) -> tuple[str, str] | None:
    """Tier and kind of the service; None where no catalogue tells both."""
    rows = source.frame("select tier, kind from marts.service where service = $service", {"service": service})
    known = rows.dropna()
    return None if known.empty else (str(known.iloc[0]["tier"]), str(known.iloc[0]["kind"]))


def peers(source: Frames, metric: Metric, service: str, grain: str, start: date) -> pd.DataFrame:
    """The metric of the service (`is_chosen`) and its peers in a period: those that can be compared."""
    return source.frame(
        f"""
        with peer as (
            select p.service
            from marts.service as s
            inner join marts.service as p on p.tier = s.tier and p.kind = s.kind
            where s.service = $service
        )

        select m.value, m.low, m.high, m.n, m.key = $service as is_chosen
        from marts.{metric} as m
        inner join peer as p on p.service = m.key
        where m.level = 'service' and m.grain = $grain and m.period_start = $start
            and m.status = 'ok' and not m.partial
        order by m.value
        """,
        {"service": service, "grain": grain, "start": start},
    )
