"""Several scopes of a source at a time, their items in one stream."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue
from threading import Event
from typing import TypeVar

T = TypeVar("T")

_LOOK_UP_SECONDS = 0.2


def interleaved(readers: Iterable[Callable[[], Iterable[T]]], at_once: int) -> Generator[T, None, None]:
    """Yield what `readers` yield, each in its own order, `at_once` of them running in threads.

    What a reader raises is raised here, and ends the others at their next item. Closing does the same.
    """
    waiting: Queue[T | BaseException | None] = Queue(maxsize=8 * at_once)
    is_over = Event()

    def put(item: T | BaseException | None) -> None:
        while not is_over.is_set():
            try:
                waiting.put(item, timeout=_LOOK_UP_SECONDS)
            except Full:
                continue
            return

    def run(reader: Callable[[], Iterable[T]]) -> None:
        try:
            if not is_over.is_set():
                for item in reader():
                    put(item)
                    if is_over.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
            put(error)
        finally:
            put(None)

    pool = ThreadPoolExecutor(at_once, thread_name_prefix="read")
    try:
        running = len([pool.submit(run, reader) for reader in readers])
        while running:
            item = waiting.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        is_over.set()
        pool.shutdown(cancel_futures=True)
