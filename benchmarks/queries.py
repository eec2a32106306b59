"""What the pages ask of the published snapshot, for scopes, periods and grains at random.

Every page of the dashboard is drawn, without a browser, and its queries are timed; an answer that a page
asks for twice counts once, for it is kept. Bar: the 95th percentile of every page's queries, all that one
drawing of it asks for together, is at most 150 ms.
"""

from __future__ import annotations

import logging
import os
import random
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import streamlit as st

from benchmarks import warehouses
from benchmarks.organisation import Size
from dashboards import filters, queries, viewer, words
from dashboards.roles import EVERYONE
from dashboards.site import PAGES, Page
from dashboards.view import Cached, View
from pipelines import warehouse
from pipelines.warehouse import Snapshot

BAR_MS = 150
_VIEWS = 40


@dataclass(frozen=True)
class _Timed:
    """A snapshot that notes how long each query takes."""

    snapshot: Snapshot
    answers: dict[str, pd.DataFrame] = field(default_factory=dict)
    taken: dict[str, float] = field(default_factory=dict)
    """Query → milliseconds."""

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        key = f"{sql}{params}"
        if key not in self.answers:
            began = time.perf_counter()
            self.answers[key] = self.snapshot.frame(sql, params)
            self.taken[key] = 1000 * (time.perf_counter() - began)
        return self.answers[key].copy()


def main(size: Size) -> bool:
    """Print the times in milliseconds; False where the bar is missed."""
    logging.disable(logging.WARNING)  # Streamlit misses its server.
    viewer.roles = lambda: EVERYONE
    home = warehouses.built(size)
    os.environ["CAIRN_HOME"] = str(home.root)
    snapshot = warehouse.published(home)
    assert snapshot
    rng = random.Random(1)
    held = True
    for page in PAGES:
        totals, slowest = [], ("", 0.0)
        for _ in range(_VIEWS):
            view = _view(snapshot, rng)
            st.cache_resource.clear()
            if isinstance(page, Page):
                page.draw(view.source)
            else:
                page.draw(view)
            taken = cast("_Timed", view.source).taken
            totals.append(sum(taken.values()))
            slowest = max([*taken.items(), slowest], key=lambda query: query[1])
        median, p95 = np.quantile(totals, [0.5, 0.95])
        held &= bool(p95 <= BAR_MS)
        print(f"{page.title:<24} median {median:6.0f} ms   p95 {p95:6.0f} ms   (bar {BAR_MS})", flush=True)
        if p95 > BAR_MS:
            print(f"    slowest, {slowest[1]:.0f} ms: {' '.join(slowest[0].split())[:300]}")
    return held


def _view(snapshot: Snapshot, rng: random.Random) -> View:
    """A view that a person might choose: as often of a level as of another, more often of late."""
    source = Cached(snapshot)
    scopes = queries.scopes(source)
    level = rng.choice(sorted({scope.level for scope in scopes}))
    scope = rng.choice([scope for scope in scopes if scope.level == level])
    extent, covered = queries.extent(source), queries.covered_on(source)
    assert extent
    assert covered
    months, grain = rng.choice(sorted(set(filters.MONTHS) - {"Custom"})), rng.choice(sorted(words.GRAINS))
    last = filters.Window(extent[1] - timedelta(days=60), extent[1])
    since, until = filters.window(months, grain, extent, covered, last)
    zone = ZoneInfo(str(queries.workspace(source)["timezone"]))
    return View(cast("Cached", _Timed(snapshot)), zone, scope, grain, since, until)
