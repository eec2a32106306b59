"""The demo organisation through the real connectors: complete, private, and the same whatever goes wrong."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors.records import STREAMS
from demo.organisation import Organisation, personal
from demo.serve import Running, start
from pipelines import refresh, warehouse
from pipelines.home import Home
from pipelines.reading import SourceRead, read_source
from tests.demo.pulling import SCALE, few, like, pull, tables, workspace
from tests.pipelines.modelled import only

PERSONAL_WORDS = re.compile(r"[\w.@+-]+")

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_nothing_is_left_behind(made: Organisation, home: Home) -> None:
    world = made.world
    hosted = [repository for repository in world.repositories.values() if not repository.fork]
    found = {stream: len(rows) for stream, rows in tables(home).items()}
    assert found["repository"] == len(hosted)
    assert found["pull_request"] == sum(len(repository.pull_requests) for repository in hosted)
    assert found["release"] == sum(len(repository.releases) for repository in hosted)
    assert found["service"] == len(world.components) + len(world.pagerduty_services)
    assert found["incident"] >= len(world.incidents)
    assert found["pipeline_run"] == sum(len(r.runs) for r in hosted) + sum(
        len(job.builds) for job in world.jenkins
    )
    assert found["deployment"] >= sum(len(repository.deployments) for repository in hosted)
    assert [stream for stream, rows in found.items() if not rows] == []


def test_nothing_personal_and_no_secret_is_kept(
    made: Organisation,
    home: Home,
    tools: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In landed files, the warehouse, cursors, status and logs; mirrors hold git's own commit objects."""
    caplog.set_level(logging.DEBUG)
    landed = like(home, tmp_path)
    for source in few(workspace(tools)).sources:
        read_source(landed, source, is_full=False, progress=lambda *_: None)
    texts = [caplog.text]
    texts += [str(pq.read_table(path).to_pylist()) for path in landed.landing.rglob("*.parquet")]
    texts += [str(pq.read_metadata(path).metadata) for path in landed.landing.rglob("*.parquet")]
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
        texts += [str(connection.execute(f'from "{schema}"."{name}"').fetchall()) for schema, name in names]
    files = [
        path
        for place in (home, landed)
        for path in place.root.rglob("*")
        if path.is_file() and not path.is_relative_to(place.mirrors) and path.name != "identity.key"
    ]
    texts += [path.read_bytes().decode("latin-1") for path in files]
    people = personal(made.world)
    secrets = {value for name, value in tools.environ.items() if name.endswith("_TOKEN")}
    assert len(people) > 1500
    assert len(secrets) == 4
    for text in texts:
        folded = text.casefold()
        words = set(PERSONAL_WORDS.findall(folded))
        words |= {part for word in words for part in re.split(r"[-.+_]", word)}
        assert {text for text in people if " " not in text and text.casefold() in words} == set()
        assert {text for text in people if " " in text and text.casefold() in folded} == set()
        assert {secret for secret in secrets if secret in text} == set()


def test_a_second_sync_finds_nothing_new(home: Home, tools: Running) -> None:
    before = tables(home)
    reads = pull(home, workspace(tools))
    assert all(read.is_ok for read in reads)
    assert {(read.source, stream): n for read in reads for stream, n in read.landed.items() if n} == {}
    assert tables(home) == before


def test_with_every_fault_on_the_end_is_the_same(tools: Running, folder: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "without")
    assert all(read.is_ok for read in pull(home, few(workspace(tools))))
    other = like(home, tmp_path)
    failed: list[SourceRead] = []
    with start(folder, faults=True, scale=SCALE) as faulty:
        for _ in range(4):
            failed = [read for read in pull(other, few(workspace(faulty))) if not read.is_ok]
            if not failed:
                break
    assert failed == []
    now, without_faults = tables(other), tables(home)
    for stream in STREAMS:
        assert sorted(set(now[stream]) ^ set(without_faults[stream]))[:4] == [], stream


@pytest.mark.parametrize(
    ("environ", "source", "said"),
    [
        ({"CAIRN_DEMO_GITHUB_TOKEN": "wr0ng-token"}, "github", "Bad credentials"),
        ({"CAIRN_DEMO_JENKINS_TOKEN": "wr0ng-token"}, "jenkins", "401"),
        ({"CAIRN_DEMO_PAGERDUTY_TOKEN": "wr0ng-token"}, "pagerduty", "401"),
        ({"CAIRN_DEMO_BACKSTAGE_TOKEN": "wr0ng-token"}, "backstage", "401"),
        ({"CAIRN_DEMO_BACKSTAGE_URL": "http://127.0.0.1:9"}, "backstage", "127.0.0.1:9"),
    ],
)
def test_what_is_wrong_with_one_source_is_one_line_and_the_others_are_synced(
    tools: Running, tmp_path: Path, environ: dict[str, str], source: str, said: str
) -> None:
    home = Home(tmp_path / "home")
    settings = few(workspace(tools, **environ))
    settings = settings.model_copy(
        update={"sources": tuple(s for s in settings.sources if s.name in {source, "pagerduty", "backstage"})}
    )
    reads = pull(home, settings)
    (failed,) = [read for read in reads if not read.is_ok]
    assert failed.source == source
    assert failed.error is not None
    line = f"{failed.error} {failed.error.mend}"
    assert said in line
    assert "\n" not in line
    assert "wr0ng-token" not in line
    assert all(read.landed.total() for read in reads if read is not failed)


def test_what_was_moved_counts_for_the_old_team_before_and_for_the_new_one_since(
    made: Organisation, home: Home, tools: Running
) -> None:
    truth = made.truth.reorganisation
    names = {team.slug: team.name for team in made.world.teams}
    old, new = names[truth.from_team], names[truth.to_team]
    (moved_at,) = {line.since for line in made.world.ownership if line.since}
    assert moved_at.date() == truth.on
    owners = {one.name: names.get(one.owner) for one in made.world.components}
    moved = owners.keys() & set(truth.services)
    with warehouse.writing(home) as connection, only("marts.deployment", "marts.deployments"):
        for built in refresh.build(connection, workspace(tools)):
            assert built.broken == {}, built.model.name
        deployments = connection.execute(
            "select service, deployment_id, finished_at, finished_on from marts.deployment"
        ).fetchall()
        figures = connection.execute(
            "select key, period_start, value from marts.deployments"
            " where level = 'team' and grain = 'day' and value > 0"
        ).fetchall()
    ids: dict[tuple[str, date], set[str]] = defaultdict(set)
    for service, deployment, at, on in deployments:
        owner = old if service in moved and at < moved_at else owners.get(service)
        if owner:
            ids[owner, on].add(deployment)
    for team in (old, new):
        by_day = {on: len(each) for (of, on), each in ids.items() if of == team}
        assert {on: value for key, on, value in figures if key == team} == by_day
    moments = [at for service, _, at, _ in deployments if service in moved]
    assert min(moments) < moved_at <= max(moments)
