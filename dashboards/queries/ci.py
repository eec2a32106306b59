"""Waiting for CI: what it came to, and the pull requests behind it, each once."""

from __future__ import annotations

from datetime import date

import pandas as pd

from dashboards.queries.happened import LINK, foremost, happened, within
from dashboards.queries.scope import Frames, Scope


def ci_wait(source: Frames, scope: Scope, since: date, until: date) -> pd.Series:
    """What the pull requests merged in the period waited for CI, all together.

    How many `changes` it is known of, and of these the seconds they `waited`, as a `share` of the time from
    opened to merged too, waited for `reruns` alone, and were only `queued`: null where no tool tells, which
    they do of `queue_told` changes.
    `left_out` maps the reasons why it is not known of others to how many these are.
    """
    return source.frame(
        f"""
        select
            count(ci_wait_seconds) as changes, sum(ci_wait_seconds) as waited,
            sum(epoch(merged_at) - epoch(opened_at)) filter (ci_wait_seconds is not null) as open_seconds,
            waited / nullif(open_seconds, 0) as share,
            sum(ci_rerun_seconds) as reruns, sum(ci_queue_seconds) as queued,
            count(ci_queue_seconds) as queue_told, coalesce(histogram(ci_left_out), map {{}}) as left_out
        from {happened("pull_request", scope)}
        """,
        within(scope, since, until),
    ).iloc[0]


def ci_waits(
    source: Frames, scope: Scope, since: date, until: date, limit: int | None = None
) -> pd.DataFrame:
    """Pull requests merged in the period whose wait for CI is known, the longest first."""
    rows, params = foremost(source, "pull_request", "ci_wait_seconds", scope, since, until, limit)
    return source.frame(
        f"""
        select ci_wait_seconds as wait_seconds, ci_queue_seconds as queue_seconds,
            ci_rerun_seconds as rerun_seconds, merged_at, service, '#' || number as change, opened_at, {LINK}
        from {rows}
        order by ci_wait_seconds desc, merged_at desc, source, repository, number
        limit $limit
        """,
        params,
    )
