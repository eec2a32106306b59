"""How many requests each sender may make: a bucket that fills steadily and that each request takes from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_MOST_KEYS = 10_000


class Rates:
    """Buckets by key. For one thread, such as an event loop's."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """A bucket holds a minute's requests, and is full at first."""
        self._per_minute = per_minute
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """Key → when its bucket is full again; without an entry it is."""

    def wait_seconds(self, key: str) -> int:
        """Take one request from a bucket; where there is none, take nothing and say when there will be."""
        now = self._clock()
        each = 60 / self._per_minute
        full_at = max(self._full_at.get(key, now), now) + each
        if full_at - now > 60 + each / 2:
            return math.ceil(full_at - now - 60)
        self._full_at[key] = full_at
        if len(self._full_at) > _MOST_KEYS:
            self._full_at = {key: at for key, at in self._full_at.items() if at > now}
        return 0
