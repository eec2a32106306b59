"""Exactly once: two hundred at once, the same token twice, two processes, processes killed at random."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine, event

from connectors.connector import Options
from pipelines import surveys
from pipelines.home import Home
from pipelines.workspace import SourceConfig, Workspace
from surveys.store import Store
from tests.surveys.postgres import Cluster
from tests.surveys.pulse import ENDED, WAVE, Clock, people, pulse

SUBMITTERS = 200


def stored(url: str, keys: Path) -> Counter[str]:
    """Close; how often each person's answer is there."""
    with Store(url, keys, clock=Clock(ENDED)) as store:
        store.close(WAVE.id)
        return Counter(str(answer.values["who"]) for answer in store.answers(WAVE.id))


def forked(run: Callable[[], object]) -> int:
    """Run in a process of its own, which ends without cleaning up; its id.

    No store may be open: SQLite does not survive a fork.
    """
    if child := os.fork():
        return child
    status = 1
    try:
        run()
        status = 0
    finally:
        os._exit(status)


def ended(child: int) -> int:
    """The signal that ended it, 0 where it came to its end by itself."""
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def test_two_hundred_at_once_and_every_token_twice(store_url: str, tmp_path: Path) -> None:
    with pulse(store_url, tmp_path / "keys", people(SUBMITTERS // 2)) as survey:
        ready = threading.Barrier(SUBMITTERS)

        def submit(person: str) -> tuple[str, bool]:
            ready.wait()
            survey.store.save_partial(survey.tokens[person], {"who": "not yet"})
            return person, survey.store.submit(survey.tokens[person], {"who": person})

        with ThreadPoolExecutor(SUBMITTERS) as pool:
            taken = Counter(person for person, is_taken in pool.map(submit, [*survey.tokens] * 2) if is_taken)
    assert taken == Counter(survey.tokens.keys())
    assert stored(store_url, survey.keys) == taken


def submitting(
    url: str, keys: Path, tokens: Iterable[tuple[str, str]], acknowledged: Path, threads: int = SUBMITTERS
) -> None:
    """Submit for each person; who was acknowledged is written down, a line each."""
    clock = Clock(WAVE.opens_at)
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def submit(of: tuple[str, str]) -> None:
        person, token = of
        if store.submit(token, {"who": person}):
            os.write(file, f"{person}\n".encode())

    with Store(url, keys, clock=clock) as store, ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(submit, tokens):
            pass


def test_two_processes_at_once(store_url: str, tmp_path: Path) -> None:
    acknowledged, keys = tmp_path / "acknowledged", tmp_path / "keys"
    with pulse(store_url, keys, people(60)) as survey:
        tokens = [*survey.tokens.items()]
    children = [
        forked(partial(submitting, store_url, keys, order, acknowledged)) for order in (tokens, tokens[::-1])
    ]
    assert [ended(child) for child in children] == [0, 0]
    taken = Counter(acknowledged.read_text().split())
    assert taken == Counter(survey.tokens.keys())
    assert stored(store_url, keys) == taken


def syncing(url: str, root: Path, synced: Path) -> None:
    """What every sync does with the store, over and over; a byte for each time."""
    home = Home(root)
    source = SourceConfig(kind="git", name="git", options=Options())
    workspace = Workspace.model_validate(
        {"organisation": "Acme", "sources": (source,), "surveys": {"store": url}}
    )
    with duckdb.connect() as connection, synced.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" if surveys.load(connection, home, workspace) is None else b"!")
            time.sleep(0.05)


def test_killed_at_random_while_submitting_and_syncing(store_url: str, tmp_path: Path) -> None:
    acknowledged, synced = tmp_path / "acknowledged", tmp_path / "synced"
    acknowledged.touch()
    keys = Home(tmp_path).survey_keys
    invitations = 5000 if store_url.startswith("sqlite") else 1000
    with pulse(store_url, keys, people(invitations)) as survey:
        tokens = [*survey.tokens.items()]
    reader = forked(partial(syncing, store_url, tmp_path, synced))
    for _ in range(4):
        random.shuffle(tokens)
        size = acknowledged.stat().st_size
        child = forked(partial(submitting, store_url, keys, tokens, acknowledged))
        while acknowledged.stat().st_size == size:
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        assert ended(child) == signal.SIGKILL
    assert {*acknowledged.read_text().split()} < dict(tokens).keys(), "some are left"
    child = forked(partial(submitting, store_url, keys, tokens, acknowledged))
    assert ended(child) == 0
    os.kill(reader, signal.SIGKILL)
    assert ended(reader) == signal.SIGKILL
    assert set(synced.read_text()) == {"x"}
    taken, there = Counter(acknowledged.read_text().split()), stored(store_url, keys)
    assert max(taken.values()) == 1
    assert there == Counter(person for person, _ in tokens)


def killed_at(engine: Engine, moment: int) -> None:
    """End this process before the `moment`-th statement, commit or removal of a file from now on."""
    passed = 0

    def count(*_: object) -> None:
        nonlocal passed
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    remove = os.unlink

    def unlink(*arguments: object, **options: object) -> None:
        count()
        remove(*arguments, **options)  # type: ignore[arg-type]

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    os.unlink = unlink


class Copies:
    """Copies of a store and its keys."""

    def __init__(self, url: str, keys: Path, cluster: Cluster | None) -> None:
        self.url, self.keys, self.cluster = url, keys, cluster

    def take(self, number: int) -> tuple[str, Path]:
        """The address of a fresh copy, and its keys."""
        keys = Path(shutil.copytree(self.keys, self.keys.with_name(f"keys{number}")))
        if self.cluster:
            return self.cluster.url(self.cluster.create(self.url.rpartition("/")[2])), keys
        database = self.url.removeprefix("sqlite:///")
        return f"sqlite:///{shutil.copy(database, f'{database}{number}')}", keys

    def drop(self, url: str) -> None:
        if self.cluster:
            self.cluster.drop(url.rpartition("/")[2])


def test_a_close_killed_anywhere_is_completed_by_the_next(
    store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with pulse(store_url, tmp_path / "keys", people(12)) as survey:
        for person, token in survey.tokens.items():
            survey.store.save_partial(token, {"who": person})
            if person != "person0011":
                assert survey.store.submit(token, {"who": person})
    is_sqlite = store_url.startswith("sqlite")
    copies = Copies(store_url, tmp_path / "keys", None if is_sqlite else request.getfixturevalue("cluster"))
    was_killed, moment = True, 0
    while was_killed:
        moment += 1 if is_sqlite else 3  # the steps are the same
        url, keys = copies.take(moment)

        def close(url: str = url, keys: Path = keys, moment: int = moment) -> None:
            with Store(url, keys, clock=Clock(ENDED)) as store:
                killed_at(store._database.engine, moment)
                store.close(WAVE.id, lambda answers: [{"n": len(answers)}])

        was_killed = ended(forked(close)) == signal.SIGKILL
        with Store(url, keys, clock=Clock(ENDED)) as store:
            assert not store.submit(survey.tokens["person0011"], {"who": "too late"})
            store.close(WAVE.id, lambda answers: [{"n": len(answers)}])
            there = Counter(str(answer.values["who"]) for answer in store.answers(WAVE.id))
            assert there == Counter({*survey.tokens} - {"person0011"})
            assert store.released(WAVE.id) == [{"n": 11}]
            wave = store.wave(WAVE.id)
            assert (wave.state, wave.invited, wave.answered) == ("released", 12, 11)
        assert [path.name for path in keys.iterdir()] == [".lock"]
        copies.drop(url)
    assert moment > 20  # statements, commits and key files, each a moment
