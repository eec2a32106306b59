"""Until when what is shown was read."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from dashboards import queries
from pipelines.status import Status


def read_until(source: queries.Frames, status: Status) -> datetime:
    """The later of what the snapshot was made from and the last complete read of all sources.

    A sync that finds nothing new publishes nothing and still makes the data fresher.
    """
    workspace = queries.workspace(source)
    covered = workspace["covered_until"]
    moments = [pd.Timestamp(workspace["published_at"] if pd.isna(covered) else covered).to_pydatetime()]
    reads = [each.succeeded_at for each in status.sources.values()]
    complete = [moment for moment in reads if moment is not None]
    if reads and len(complete) == len(reads):
        moments.append(min(complete))
    return max(moments)
