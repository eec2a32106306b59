"""How far the figures can be trusted: what could not be matched, read or understood."""

from __future__ import annotations

import pandas as pd

from dashboards.queries.scope import Frames


def data_quality(source: Frames) -> pd.DataFrame:
    """Rows of `marts.data_quality`: kinds of things that could not be placed, the most harmful first."""
    return source.frame("from marts.data_quality order by share desc nulls last, things desc, kind, affects")


def unmapped(source: Frames) -> pd.DataFrame:
    """Rows of `marts.unmapped`: what could not be placed, by name; those that affect most first."""
    return source.frame(
        "from marts.unmapped order by affected desc, things desc, kind, source, name, affects"
    )


def quarantine(source: Frames) -> pd.DataFrame:
    """Records that could not be understood, most first."""
    return source.frame("from marts.quarantine order by records desc, source, stream, reason")


def source_streams(source: Frames) -> pd.DataFrame:
    """How much is known of each kind of record, by source: rows of `marts.source_stream`."""
    return source.frame("from marts.source_stream order by source, stream")


def environments(source: Frames) -> pd.DataFrame:
    """Environments and whether they are taken for production, those first."""
    return source.frame("from marts.environment order by is_production desc, deployments desc, environment")
