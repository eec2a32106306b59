"""A service of which nothing is known yet: one build of every metric."""

from __future__ import annotations

from tests.pipelines.acme import Acme


def test_t02_no_data_is_null_and_never_zero() -> None:
    acme = Acme()
    acme.commits("shop", "2026-01-01 00:00", "a", "b")
    acme.build()
    told = acme.query("select metric from marts.metric_definition where area = 'delivery'")
    metrics = [str(row["metric"]) for row in told]
    assert len(metrics) == 26
    for metric in metrics:
        for key, level in (("shop", "service"), ("shop", "repository"), ("Acme", "organisation")):
            row = acme.row(metric, key, level=level)
            shown = [row[name] for name in ("value", "n", "low", "high", "status")]
            assert shown == [None, 0, None, None, "no_data"], (metric, level)
