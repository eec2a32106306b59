"""What every connector must hold to: its test class inherits `ConnectorContract` and gives a `tool`."""

from __future__ import annotations

import json
import logging
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

import connectors
from connectors.connector import Batch, Connector, Covered, Item, Note, Problem, Quarantined, SourceError
from connectors.records import KEYS, STREAMS, Record


class Tool(ABC):
    """The tool a connector reads, real or as good as: a few records behind credentials."""

    secret: str
    """A password or token the connector is given; the contract looks for it everywhere."""

    @abstractmethod
    def connector(self, cache: Path) -> Connector:
        """A connector of this tool, in working order."""

    @abstractmethod
    def grow(self) -> None:
        """Add a record, and change or remove another."""

    @abstractmethod
    def spoil(self) -> str:
        """Add a record that cannot be understood; returns the id it is quarantined under."""

    @abstractmethod
    def refuse(self) -> None:
        """From now on, take the secret for wrong."""


class Loaded:
    """What a warehouse holds after loading items: records merged by key, cursors moved."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.cursors: dict[str, JsonValue] = {}
        self.records: dict[tuple[str, tuple[object, ...]], Record] = {}
        self._scopes: dict[tuple[str, tuple[object, ...]], str] = {}
        self.load(items)

    def load(self, items: Iterable[Item]) -> None:
        for item in items:
            if not isinstance(item, Batch):
                continue
            fresh = {(item.stream, _key(item.stream, record)): record for record in item.records}
            if item.is_whole:
                here = [
                    key for key, scope in self._scopes.items() if (key[0], scope) == (item.stream, item.scope)
                ]
                for key in here:
                    del self.records[key], self._scopes[key]
            self.records |= fresh
            self._scopes |= dict.fromkeys(fresh, item.scope)
            if item.cursor is not None:
                self.cursors[item.scope] = json.loads(json.dumps(item.cursor))


def _key(stream: str, record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, field) for field in KEYS[stream])


class ConnectorContract:
    """Inherited by a `Test…` class per connector, which overrides the fixture `tool`."""

    @pytest.fixture
    def tool(self, tmp_path: Path) -> Tool:
        raise NotImplementedError

    @pytest.fixture
    def cache(self, tmp_path: Path) -> Path:
        return tmp_path / "cache"

    def test_it_is_registered_and_yields_what_it_declares(self, tool: Tool, cache: Path) -> None:
        connector = tool.connector(cache)
        assert connectors.connector_type(connector.kind) is type(connector)
        streams = set(connector.streams_of(connector.options))
        assert streams <= STREAMS.keys()
        batches = [item for item in connector.read({}) if isinstance(item, Batch)]
        assert {batch.stream for batch in batches} == streams
        for batch in batches:
            for record in batch.records:
                assert type(record) is STREAMS[batch.stream]
                for value in record:
                    assert not isinstance(value, datetime) or value.utcoffset() == timedelta(0)

    def test_batches_carry_cursors_that_survive_json(self, tool: Tool, cache: Path) -> None:
        items = list(tool.connector(cache).read({}))
        last = {item.scope: item.cursor for item in items if isinstance(item, Batch)}
        assert last
        assert None not in last.values()
        assert json.loads(json.dumps(last)) == last

    def test_what_was_read_is_covered(self, tool: Tool, cache: Path) -> None:
        items = list(tool.connector(cache).read({}))
        covered = {item.scope: item.at for item in items if isinstance(item, Covered)}
        assert {item.scope for item in items if isinstance(item, Batch)} <= covered.keys()
        assert all(at.utcoffset() == timedelta(0) for at in covered.values())

    def test_nothing_new_is_no_batch_but_covered(self, tool: Tool, cache: Path) -> None:
        first = list(tool.connector(cache).read({}))
        second = list(tool.connector(cache).read(Loaded(first).cursors))
        assert not [item for item in second if isinstance(item, Batch | Quarantined)]
        assert scopes(second) == scopes(first)

    @pytest.mark.parametrize("keeps_cache", [True, False])
    def test_it_resumes_from_any_cursor(self, tool: Tool, cache: Path, keeps_cache: bool) -> None:
        items = list(tool.connector(cache).read({}))
        whole = Loaded(items).records
        moves = [number for number, item in enumerate(items, 1) if isinstance(item, Batch)]
        for killed_after in [0, *moves]:
            if not keeps_cache:
                shutil.rmtree(cache, ignore_errors=True)
            loaded = Loaded(items[:killed_after])
            loaded.load(tool.connector(cache).read(loaded.cursors))
            assert loaded.records == whole, f"killed after item {killed_after}"

    def test_yielding_again_is_harmless(self, tool: Tool, cache: Path) -> None:
        loaded = Loaded(tool.connector(cache).read({}))
        once = dict(loaded.records)
        loaded.load(tool.connector(cache).read({}))
        assert loaded.records == once

    def test_what_is_new_is_read_alone(self, tool: Tool, cache: Path, tmp_path: Path) -> None:
        first = list(tool.connector(cache).read({}))
        loaded = Loaded(first)
        tool.grow()
        news = list(tool.connector(cache).read(loaded.cursors))
        assert sum(len(item.records) for item in news if isinstance(item, Batch)) < sum(
            len(item.records) for item in first if isinstance(item, Batch)
        )
        before = dict(loaded.records)
        loaded.load(news)
        assert loaded.records != before
        assert loaded.records == Loaded(tool.connector(tmp_path / "fresh").read({})).records

    def test_a_malformed_record_is_quarantined_and_the_rest_goes_on(self, tool: Tool, cache: Path) -> None:
        before = Loaded(tool.connector(cache).read({}))
        spoilt = tool.spoil()
        tool.grow()
        items = list(tool.connector(cache).read(before.cursors))
        (quarantined,) = [item for item in items if isinstance(item, Quarantined)]
        assert quarantined.id == spoilt
        assert quarantined.reason
        assert quarantined.stream in STREAMS
        before_records = dict(before.records)
        before.load(items)
        assert before.records != before_records

    def test_no_secret_shows(self, tool: Tool, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        connector = tool.connector(cache)
        said = [repr(connector), str(connector), repr(connector.options), repr(connector.context)]
        said += map(repr, connector.read({}))
        tool.refuse()
        try:
            failed = [*connector.read({}), *connector.check()]
        except SourceError as error:
            failed = [Problem("", str(error), error.mend)]
        assert [item for item in failed if isinstance(item, Problem)], "a wrong secret is a problem"
        said += map(repr, failed)
        said += [path.read_text(errors="replace") for path in cache.rglob("*") if path.is_file()]
        assert tool.secret not in "\n".join([*said, caplog.text])

    def test_checking_finds_nothing_wrong_and_copies_nothing(self, tool: Tool, cache: Path) -> None:
        found = list(tool.connector(cache).check())
        assert not [item for item in found if not isinstance(item, Note)]
        assert not cache.exists() or not list(cache.iterdir())


def scopes(items: Iterable[Item]) -> set[str]:
    return {item.scope for item in items if isinstance(item, Covered)}
