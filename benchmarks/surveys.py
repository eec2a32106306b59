"""Submissions through the survey store: 5 000 invitations, 200 people submitting at once, on one core.

A submission is what the form asks for: the token is looked up, the answers are sealed, stored and on disk.
One token in ten is submitted twice, and each answer must be there once after close. Bar: 200 a second.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.organisation import Size
from surveys.store import Invitee, NewWave, Store

BAR_PER_SECOND = 200
INVITATIONS = 5_000
SUBMITTERS = 200

_OPENS_AT = datetime(2026, 1, 5, tzinfo=UTC)
_WAVE = NewWave(
    id="benchmark",
    instrument_id="core",
    instrument_version=1,
    instrument="{}",
    minimum_group=5,
    comment_group=10,
    opens_at=_OPENS_AT,
    closes_at=_OPENS_AT + timedelta(days=14),
    grace=timedelta(days=2),
)


def main(_: Size) -> bool:
    """Print submissions a second; False where the bar is missed or an answer is missing or doubled."""
    now = _OPENS_AT
    invitees = [Invitee(f"person{n:05}", ("acme", f"team{n // 8:03}")) for n in range(INVITATIONS)]
    with (
        tempfile.TemporaryDirectory() as folder,
        one_core(),
        Store(f"sqlite:///{folder}/store.db", Path(folder, "keys"), clock=lambda: now) as store,
    ):
        store.open_wave(_WAVE, invitees)
        links = [*store.links(_WAVE.id)]

        def submit(number: int) -> bool:
            link = links[number % INVITATIONS]
            is_known = store.look_up(link.token) is not None
            return is_known and store.submit(link.token, {"who": link.person, "ease": 4})

        began, began_cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(SUBMITTERS) as pool:
            # The second time comes while the first is on its way.
            order = (number for n in range(INVITATIONS) for number in ((n, n) if n % 10 == 0 else (n,)))
            acknowledged = sum(pool.map(submit, order))
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
        now = _WAVE.closes_at + _WAVE.grace
        began = time.perf_counter()
        store.close(_WAVE.id)
        closing_seconds = time.perf_counter() - began
        there = Counter(str(answer.values["who"]) for answer in store.answers(_WAVE.id))
    is_once = acknowledged == INVITATIONS and there == Counter(invitee.person for invitee in invitees)
    rate = acknowledged / seconds
    print(
        f"{acknowledged:,} acknowledged, {there.total():,} there of {len(there):,} people, "
        f"closed in {closing_seconds:.1f} s"
    )
    print(f"{'submissions a second, of CPU time':<44} {acknowledged / cpu_seconds:8.0f}")
    print(f"{'submissions a second':<44} {rate:8.0f}      (bar {BAR_PER_SECOND})")
    return is_once and rate >= BAR_PER_SECOND


@contextmanager
def one_core() -> Iterator[None]:
    """Run on one core alone, where the system lets a process choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
