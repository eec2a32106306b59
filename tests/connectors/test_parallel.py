"""Several readers at a time: order kept, errors passed on, an end that ends them all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from connectors.parallel import interleaved


def counting(name: int, upto: int) -> Callable[[], Iterator[tuple[int, int]]]:
    def read() -> Iterator[tuple[int, int]]:
        for number in range(upto):
            yield name, number

    return read


def test_each_reader_keeps_its_order_and_nothing_is_lost() -> None:
    items = list(interleaved([counting(name, 100) for name in range(7)], at_once=3))
    assert sorted(items) == [(name, number) for name in range(7) for number in range(100)]
    for name in range(7):
        assert [item for item in items if item[0] == name] == [(name, number) for number in range(100)]


def test_no_more_than_at_once_run() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    together = threading.Barrier(3, timeout=10)

    def read() -> Iterator[int]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        with lock:
            running -= 1
        yield 1

    assert sum(interleaved([read] * 9, at_once=3)) == 9
    assert most == 3


def test_an_error_is_raised_to_who_reads() -> None:
    def broken() -> Iterator[tuple[int, int]]:
        yield 0, 0
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        list(interleaved([broken, counting(1, 3)], at_once=2))


def test_closing_ends_readers_that_have_more_to_say() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.set()

    items = interleaved([endless, endless], at_once=1)
    assert next(items) == 1
    items.close()
    assert ended.wait(10)
