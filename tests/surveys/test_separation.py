"""Nobody finds out who answered what, whatever they have but the key files; and what would betray it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surveys import sealing
from surveys.store import answering, closing
from tests.surveys.attacker import (
    MARK,
    Attack,
    Files,
    Watched,
    attacks,
    groups_of_answers,
    orders_of_use,
    watch,
)
from tests.surveys.postgres import Cluster
from tests.surveys.pulse import WAVE

CERTAIN = 1e-9
"""A p-value that none of some thousand attacks reaches by chance in a million runs of this test."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store_and_files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Files, Files]]:
    """A database's URL, the files that hold its tables, and all files that it writes."""
    if request.param == "sqlite":
        folder = tmp_path / "surveys"
        yield f"sqlite:///{folder}/store.db", lambda: [*folder.iterdir()], lambda: [*folder.iterdir()]
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    with psycopg.connect(cluster.url(name)) as connection:
        row = connection.execute("select oid from pg_database where datname = current_database()").fetchone()
    assert row
    data = cluster.folder / "data"

    def tables() -> Sequence[Path]:
        return [path for path in (data / "base" / str(row[0])).iterdir() if path.is_file()]

    def written() -> Sequence[Path]:
        log = [path for path in (data / "pg_wal").iterdir() if path.is_file()]
        return [*tables(), *log, cluster.log]

    yield cluster.url(name), tables, written
    cluster.drop(name)


def betrayed(watched: Watched) -> list[Attack]:
    return [attack for attack in attacks(watched) if attack.p_value < CERTAIN]


def test_no_join_order_or_time_beats_guessing(
    store_and_files: tuple[str, Files, Files], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, tables, written = store_and_files
    with caplog.at_level(logging.DEBUG):
        watched = watch(url, tmp_path / "keys", tables, written)
    assert len(watched.answers) == len(watched.order) == 128
    tried = [*attacks(watched)]
    assert len(tried) > 300
    assert not [attack for attack in tried if attack.p_value < CERTAIN]
    assert not [attack for attack in orders_of_use(watched) if attack.p_value < CERTAIN]
    assert min(map(len, groups_of_answers(watched).values())) >= WAVE.minimum_group

    # Nothing of a person is anywhere in an answer.
    known = {
        str(value)
        for person in watched.order
        for name, value in watched.seen[person].items()
        if name in {"sealed id", "open person", "open token_mark"}
    }
    stored = " ".join(str(row["id"]) for row in watched.answers)
    assert not [value for value in known if value in stored]

    # While the wave is open no file tells an answer, a key or a token; in the end none holds a sealed answer.
    assert len(watched.backups) >= 3
    for backup in watched.backups:
        assert MARK.encode() not in backup
        assert not [secret for secret in watched.secrets if secret in backup]
    assert len(watched.boxes) > 128
    assert not [box for box in watched.boxes if box[100:132] in watched.last]
    marks = [bytes(watched.seen[person]["open token_mark"]) for person in watched.order]
    assert not [secret for secret in (*watched.secrets, *marks) if secret in watched.last]
    assert MARK.encode() in watched.last  # it was looked for in the right place
    assert not (tmp_path / "keys" / WAVE.id).exists()
    assert MARK not in caplog.text
    assert not [secret for secret in watched.secrets if secret.decode("latin-1") in caplog.text]


def in_order(monkeypatch: pytest.MonkeyPatch, ids: Iterator[int]) -> None:
    """Ids that follow each other, as anyone's database gives them, and nothing shuffled."""
    monkeypatch.setattr(answering, "random_id", lambda: next(ids))
    monkeypatch.setattr(closing, "random_id", lambda: next(ids))
    monkeypatch.setattr(closing, "_shuffle", lambda *_: None)


def timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time with each submission."""

    def seal(public_key: bytes, wave: str, content: dict[str, Any]) -> bytes:
        values = {**content["values"], "submitted_at": time.time_ns()}
        return sealing.seal(public_key, wave, {**content, "values": values})

    monkeypatch.setattr(answering, "seal", seal)


def as_long_as_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    padded = sealing._padded
    monkeypatch.setattr(sealing, "_padded", lambda content: padded(content).rstrip(b"\0"))


MISTAKES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a common order": lambda monkeypatch: in_order(monkeypatch, count(1)),
    "ids of times": lambda monkeypatch: in_order(monkeypatch, iter(time.time_ns, None)),
    "a timestamp": timed,
    "sealed as long as answered": as_long_as_answered,
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_attack_finds_a_mistake(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MISTAKES[mistake](monkeypatch)
    watched = watch(f"sqlite:///{tmp_path}/store.db", tmp_path / "keys", teams=8)
    assert betrayed(watched)


@pytest.mark.parametrize(
    "left_out", ["_shuffle", "_rewrite_invites"], ids=["answers in order", "invites left in place"]
)
def test_what_postgresql_knows_of_rows_would_betray(
    left_out: str, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, left_out, lambda *_: None)
    name = cluster.create()
    watched = watch(cluster.url(name), tmp_path / "keys", teams=8)
    cluster.drop(name)
    found = betrayed(watched) if left_out == "_shuffle" else [*orders_of_use(watched)]
    assert [attack for attack in found if attack.p_value < CERTAIN]


def test_exact_cohorts_would_betray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "coarsened", lambda cohorts, _: cohorts)
    watched = watch(f"sqlite:///{tmp_path}/store.db", tmp_path / "keys", teams=8)
    assert min(map(len, groups_of_answers(watched).values())) < WAVE.minimum_group
