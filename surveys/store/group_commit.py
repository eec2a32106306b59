"""Writes of many threads in few transactions: whoever comes while one is committed shares the next.

A commit waits for the disk, milliseconds each; two hundred people who submit at once wait for a handful.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from sqlalchemy import Connection

from surveys.store.database import Database

Item = TypeVar("Item")


class GroupCommit(Generic[Item]):
    """Gives what comes at once to `write` in one transaction; `write` says of each whether it was done."""

    def __init__(
        self, database: Database, write: Callable[[Connection, Sequence[Item]], Sequence[bool]]
    ) -> None:
        self._database = database
        self._write = write
        self._waiting: list[tuple[Item, Future[bool]]] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()

    def put(self, item: Item) -> bool:
        """What `write` said of it, once that is committed; an error is raised to all who shared it."""
        future: Future[bool] = Future()
        with self._queue:
            self._waiting.append((item, future))
        with self._turn:
            if not future.done():
                self._commit()
        return future.result()

    def _commit(self) -> None:
        with self._queue:
            batch, self._waiting = self._waiting, []
        try:
            with self._database.writing() as connection:
                results = self._write(connection, [item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001 - each caller raises it
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
