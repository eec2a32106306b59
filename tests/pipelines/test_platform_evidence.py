"""From what sources saw of capabilities to who uses them: rules, intervals, snapshots, services."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Options
from connectors.records import (
    STREAMS,
    CapabilityState,
    CapabilityUse,
    Commit,
    Job,
    PipelineRun,
    Record,
    Ref,
    Repository,
)
from pipelines import ingest, modelling, refresh
from pipelines.checks import checked
from pipelines.ingest import Read
from pipelines.landing import Landing
from pipelines.workspace import PUSH, SourceConfig, Workspace
from tests.pipelines.modelled import connect

DAY = timedelta(days=1)
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
IMAGE = "image:registry.acme.example/platform/python"
STREAM_OF = {record: stream for stream, record in STREAMS.items()}


class Warehouse:
    """A source `git` of two repositories: `shop` is one service, `mono` holds two with folders."""

    def __init__(self, platform: dict[str, object] | None = None) -> None:
        self.connection = connect()
        self.built: set[str] = set()
        """Models that are of what was loaded last."""
        self.workspace = Workspace.model_validate(
            {
                "organisation": "Acme",
                "sources": (SourceConfig(kind="git", name="git", options=Options()),),
                "services": [
                    {"name": "shop", "repositories": ["shop"], "team": "web"},
                    {"name": "cart", "repositories": ["mono"], "paths": ["services/cart"]},
                    {"name": "bank", "repositories": ["mono"], "paths": ["services/bank"]},
                ],
                "teams": [{"name": "web"}],
                "platform": platform
                or {
                    "capabilities": [
                        {
                            "name": "images",
                            "versions": ["3.11", "3.12"],
                            "evidence": [
                                {"image": "registry.acme.example/platform/*"},
                                {"step": "^scan"},
                                {"event": "images"},
                                {"workflow": "acme/ci/*"},
                            ],
                        }
                    ]
                },
            }
        )
        self.load(
            START - 30 * DAY, [Repository(n, n, f"https://h/{n}", "main", False) for n in ("shop", "mono")]
        )

    def load(
        self, at: datetime, records: Sequence[Record] = (), *, scope: str = "shop", source: str = "git"
    ) -> None:
        """Land events and the like as read `at`."""
        self._load(at, source, scope, [Batch(STREAM_OF[type(each)], scope, [each]) for each in records], None)

    def snapshot(
        self, at: datetime, *states: CapabilityState, scope: str = "shop", looked_for: str | None = "1"
    ) -> None:
        """All that is seen of a scope `at`; with nothing to say of it where `looked_for` is None."""
        self._load(at, "git", scope, [Batch("capability_state", scope, states, is_whole=True)], looked_for)

    def nothing_new(self, at: datetime, scope: str = "shop") -> None:
        """A snapshot as the one before, of which no batch tells."""
        self._load(at, "git", scope, [], "1")

    def _load(
        self, at: datetime, source: str, scope: str, batches: list[Batch], looked_for: str | None
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for batch in batches:
                assert not Landing(Path(folder), source).write(batch)
            landed = sorted(Path(folder, source).glob("*.parquet")) if batches else []
            for number, path in enumerate(landed):
                _, rest = path.name.split("-", 1)
                path.rename(path.with_name(f"{int(at.timestamp() * 1e9) + number}-{rest}"))
            read = Read(
                {scope: at}, retained={"shop", "mono"}, looked_for={scope: looked_for} if looked_for else {}
            )
            ingest.load(self.connection, Path(folder), {source: read})
        self.built.clear()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the models that the query reads and those behind them; each keeps its header's word."""
        connection = self.connection
        connection.execute("set variable timezone = 'UTC'; create schema if not exists core")
        connection.execute("create schema if not exists marts")
        connection.execute((modelling.MODELS / "macros.sql").read_text())
        refresh._configure(connection, self.workspace)
        known = modelling.models()
        wanted = [*re.findall(r"(?:core|marts)\.\w+", sql)]
        needed: set[str] = set()
        while wanted:
            needed.add(name := wanted.pop())
            wanted += [read for read in modelling.model_dependencies(known[name]) if read in known]
        for name, model in known.items():
            if name in needed - self.built:
                connection.execute(f"create or replace table {name} as {model.sql}")
                assert checked(connection, model).broken == {}, name
        self.built |= needed
        return connection.execute(sql).fetchall()

    def states(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select service, version, observed_on, ended_on, is_start_unknown from core.capability_evidence"
            " where kind = 'present' order by all"
        )


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    made = Warehouse()
    yield made
    made.connection.close()


def state(
    version: str | None = "3.11",
    *,
    thing: str = IMAGE,
    repository: str = "shop",
    place: str = "Dockerfile",
    folders: tuple[str, ...] = (),
) -> CapabilityState:
    return CapabilityState(thing, "repository", repository, place, version, folders, None)


def on(days: int) -> date:
    return (START + days * DAY).date()


def test_a_state_is_an_interval_between_snapshots(warehouse: Warehouse) -> None:
    warehouse.snapshot(START)
    warehouse.snapshot(START + DAY, state())
    warehouse.nothing_new(START + 2 * DAY)
    warehouse.snapshot(START + 3 * DAY, state("3.12"))
    warehouse.snapshot(START + 5 * DAY)
    assert warehouse.states() == [
        ("shop", "3.11", on(1), on(3), False),
        ("shop", "3.12", on(3), on(5), False),
    ]
    assert warehouse.rows("select observed_on from core.source_snapshot order by all") == [
        (on(days),) for days in (0, 1, 2, 3, 5)
    ]


def test_of_what_the_first_snapshot_shows_the_start_is_unknown(warehouse: Warehouse) -> None:
    warehouse.snapshot(START, state())
    warehouse.snapshot(START + DAY, state(), state(place="web/Dockerfile"))
    assert warehouse.states() == [
        ("shop", "3.11", on(0), None, True),
        ("shop", "3.11", on(1), None, False),
    ]


def test_of_what_is_looked_for_anew_the_start_is_unknown(warehouse: Warehouse) -> None:
    warehouse.snapshot(START)
    warehouse.snapshot(START + DAY, state(), looked_for="2")
    warehouse.snapshot(START + 2 * DAY, state(), state("3.12"), looked_for="2")
    assert warehouse.states() == [("shop", "3.11", on(1), None, True), ("shop", "3.12", on(2), None, False)]


def test_a_reading_that_failed_says_nothing_is_gone(warehouse: Warehouse) -> None:
    warehouse.snapshot(START, state())
    warehouse.load(START + 9 * DAY, [Ref("shop", "main", "branch", "1" * 40, START)])
    assert warehouse.states() == [("shop", "3.11", on(0), None, True)]
    assert warehouse.rows("select distinct local_date(confirmed_until) from core.capability_evidence") == [
        (on(0),)
    ]


def test_a_repository_younger_than_the_first_snapshot_began_with_what_it_has(warehouse: Warehouse) -> None:
    warehouse.snapshot(START)
    first = Commit("mono", "1" * 40, (), "p", False, START + DAY, START + DAY, "change", None)
    warehouse.load(START + 2 * DAY, [first], scope="mono")
    in_cart = state(repository="mono", place="services/cart/Dockerfile")
    warehouse.snapshot(START + 2 * DAY, in_cart, scope="mono")
    assert warehouse.states() == [("cart", "3.11", on(2), None, False)]


def test_a_scope_that_is_taken_out_ends_nothing_and_begins_anew(warehouse: Warehouse) -> None:
    warehouse.snapshot(START, state())
    with tempfile.TemporaryDirectory() as folder:
        ingest.load(warehouse.connection, Path(folder), {"git": Read({"mono": START + DAY})})
    warehouse.built.clear()
    warehouse.load(START + 8 * DAY, [Repository("shop", "shop", "https://h/shop", "main", False)])
    warehouse.snapshot(START + 9 * DAY, state(), state("3.12"))
    assert warehouse.states() == [("shop", "3.11", on(0), None, True), ("shop", "3.12", on(9), None, True)]


def test_what_is_pushed_holds_until_said_otherwise(warehouse: Warehouse) -> None:
    def told(number: int, kind: str, version: str | None = None) -> CapabilityUse:
        at = START + number * DAY
        return CapabilityUse(str(number), "images", "service", "shop", at, kind, None, None, version, None)

    said = [
        told(0, "absent"),
        told(1, "present"),
        told(2, "present"),
        told(3, "present", "v3.12.1"),
        told(4, "absent"),
    ]
    warehouse.load(START + 9 * DAY, said, source=PUSH, scope="adoption")
    assert warehouse.states() == [
        ("shop", "v3.12.1", on(3), on(4), False),
        ("shop", None, on(1), on(3), False),
    ]
    assert warehouse.rows("select max(version_ordinal) from core.capability_evidence") == [(2,)]


def test_a_capability_renamed_keeps_what_was_told_of_its_former_name() -> None:
    warehouse = Warehouse(
        {
            "capabilities": [
                {
                    "name": "base-image",
                    "formerly": ["images"],
                    "evidence": [{"image": "registry.acme.example/*"}],
                }
            ]
        }
    )
    told = [
        CapabilityUse(
            str(number), name, "service", "shop", START + number * DAY, "used", None, None, None, None
        )
        for number, name in enumerate(("images", "base-image", "imagesque"))
    ]
    warehouse.load(START + 9 * DAY, told, source=PUSH, scope="adoption")
    used = warehouse.rows("select capability, service, used_from from core.capability_use order by used_from")
    assert used == [("base-image", "shop", on(0)), ("base-image", "shop", on(1))]


@pytest.mark.parametrize(
    ("place", "folders", "services"),
    [
        ("services/cart/Dockerfile", (), ["cart"]),
        ("Dockerfile", (), [None]),
        ("services/cartoon/Dockerfile", (), [None]),
        (".github/workflows/x.yml", ("services/bank/src",), ["bank"]),
        (".github/workflows/x.yml", ("services",), ["bank", "cart"]),
        (".github/workflows/x.yml", ("docs",), [None]),
    ],
)
def test_one_service_of_a_repository_is_not_all_of_them(
    warehouse: Warehouse, place: str, folders: tuple[str, ...], services: list[str | None]
) -> None:
    warehouse.snapshot(START, state(repository="mono", place=place, folders=folders), scope="mono")
    assert [row[0] for row in warehouse.states()] == services
    unplaced = warehouse.rows("select repository from core.unplaced_use")
    assert unplaced == ([("mono",)] if services == [None] else [])


def test_events_come_from_uses_runs_and_steps(warehouse: Warehouse) -> None:
    file = ".github/workflows/cart.yml"
    thing = "workflow:acme/ci/.github/workflows/deliver.yml"
    warehouse.snapshot(
        START,
        state("v3", thing=thing, repository="mono", place=file, folders=("services/cart",)),
        scope="mono",
    )
    run = PipelineRun("7", 1, "mono", None, file, "main", "push", None, START, START, START, "failed", "u")
    warehouse.load(
        START + DAY,
        [
            run,
            Job("j", "7", 1, "mono", "Scan image", None, START, START, START, "success", None),
            Job("k", "7", 1, "mono", "build", None, START, START, START, "success", None),
            CapabilityUse("r", thing, "repository", "mono", START, "used", "failed", START, "v3", "u", file),
        ],
        scope="mono",
    )
    assert warehouse.rows(
        "select rule_id, service, result, version_ordinal from core.capability_evidence"
        " where kind = 'used' order by all"
    ) == [
        ("images/step:^scan", "cart", "success", None),
        ("images/workflow:acme/ci/*", "cart", "failed", 2),
    ]


def test_one_thing_may_be_evidence_of_several_capabilities() -> None:
    warehouse = Warehouse(
        {
            "capabilities": [
                {"name": "a", "formerly": ["old-a"], "evidence": [{"image": "*/PLATFORM/*"}, {"image": "*"}]},
                {"name": "b", "evidence": [{"image": "registry.acme.example/platform/python"}]},
            ],
            "checks": [{"name": "c", "evidence": [{"image": "*python"}, {"chart": "*"}]}],
        }
    )
    warehouse.snapshot(START, state())
    use = CapabilityUse("1", "old-a", "service", "shop", START, "used", None, None, None, None)
    warehouse.load(START, [use], source=PUSH, scope="adoption")
    assert warehouse.rows("select capability, rule_id from core.capability_evidence order by all") == [
        ("a", "a/event:old-a"),
        ("a", "a/image:*"),
        ("a", "a/image:*/PLATFORM/*"),
        ("b", "b/image:registry.acme.example/platform/python"),
        ("check:c", "check:c/image:*python"),
    ]


def test_filters_take_in_services_by_every_list() -> None:
    one = {"name": "a", "evidence": [{"event": "a"}]}
    filters: tuple[dict[str, list[str]], ...] = (
        {"teams": ["WEB"]},
        {"services": ["C*"]},
        {"kinds": ["service"]},
        {},
    )
    warehouse = Warehouse(
        {
            "capabilities": [
                {**one, "name": str(number), "eligible": each} for number, each in enumerate(filters)
            ]
        }
    )
    assert warehouse.rows("from core.service_scope order by all") == [
        ("eligible:0", "shop"),
        ("eligible:1", "cart"),
        *(("eligible:3", service) for service in ("bank", "cart", "shop")),
    ]


def test_versions_are_lines_of_releases() -> None:
    warehouse = Warehouse(
        {"capabilities": [{"name": "a", "versions": {"from": "shop"}, "evidence": [{"image": "*"}]}]}
    )
    tags = {"v9.0.0": 0, "v9.1.0": 1, "v10.0.0": 2, "v11.0.0-rc.1": 3, "nightly": 4}
    warehouse.load(
        START, [Ref("shop", tag, "tag", "1" * 40, START + days * DAY) for tag, days in tags.items()]
    )
    warehouse.snapshot(START, state("v10"), state("~> 9.1", place="b"), state("8", place="c"))
    assert warehouse.rows("from core.capability_version order by ordinal") == [
        ("a", "9", 1, on(0)),
        ("a", "10", 2, on(2)),
    ]
    assert warehouse.rows("select version, version_ordinal from core.capability_evidence order by all") == [
        ("8", None),
        ("v10", 2),
        ("~> 9.1", 1),
    ]


def test_without_settings_there_is_no_evidence() -> None:
    warehouse = Warehouse({"capabilities": []})
    warehouse.snapshot(START, state())
    assert warehouse.rows("from core.capability_evidence") == []
    assert warehouse.rows("select kind, name from core.capability_thing") == [
        ("image", IMAGE.partition(":")[2])
    ]


def test_a_rule_that_matches_nothing_is_shown_what_looks_alike() -> None:
    rules = [{"image": "*/platform/*"}, {"image": "registry.acme.example/platfrm/python"}, {"chart": "web"}]
    warehouse = Warehouse({"capabilities": [{"name": "a", "evidence": rules}]})
    warehouse.snapshot(START, state(), state(thing="image:alpine", place="x/Dockerfile"))
    assert warehouse.rows(
        "select kind, pattern, things, observations, services, things_of_kind, alike"
        " from marts.evidence_rule order by all"
    ) == [
        ("chart", "web", 0, 0, 0, 0, []),
        ("image", "*/platform/*", 1, 1, 1, 2, []),
        ("image", rules[1]["image"], 0, 0, 0, 2, [IMAGE.partition(":")[2], "alpine"]),
    ]
