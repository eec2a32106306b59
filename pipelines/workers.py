"""Tasks done at once where none of them waits for another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import TypeVar

Result = TypeVar("Result")


def results(
    needs: Mapping[str, Collection[str]],
    workers: Sequence[Callable[[str], Result]],
    interrupt: Callable[[], None],
    told: Callable[[int], None],
) -> Generator[Result, None, None]:
    """Result of every task, each after those of the tasks that it `needs`.

    A worker does one task at a time, in a thread. What the longest chain of others waits for is done first.
    `told` is called with how many tasks are being done, before they begin.
    Where a task fails or the caller stops, `interrupt` makes those being done end early; it is called until
    they have ended.
    """
    ranks = _ranks(needs)
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    idle = [*workers]
    ready: list[tuple[int, str]] = []
    running: dict[Future[Result], tuple[str, Callable[[str], Result]]] = {}
    made: list[Result] = []
    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            while sorter.is_active():
                for task in sorter.get_ready():
                    heappush(ready, (ranks[task], task))
                beginning = min(len(idle), len(ready))
                told(len(running) + beginning)
                for _ in range(beginning):
                    _, task = heappop(ready)
                    worker = idle.pop()
                    running[pool.submit(worker, task)] = task, worker
                yield from made
                made.clear()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    task, worker = running.pop(future)
                    made.append(future.result())
                    idle.append(worker)
                    sorter.done(task)
            yield from made
        except BaseException:
            while wait(running, timeout=0.1).not_done:
                interrupt()
            raise


def _ranks(needs: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Each task's place: by the longest chain that waits for it, then by its place in `needs`."""
    waiting = dict.fromkeys(needs, 0)
    for task in reversed([*TopologicalSorter(needs).static_order()]):
        for need in needs[task]:
            waiting[need] = max(waiting[need], waiting[task] + 1)
    order = sorted(needs, key=lambda task: -waiting[task])
    return {task: rank for rank, task in enumerate(order)}
