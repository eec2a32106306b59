"""What waves released reaches the published snapshot; nothing else of a survey does."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from pydantic import JsonValue

from pipelines import ingest, refresh, surveys, warehouse
from pipelines.home import Home
from pipelines.warehouse import Snapshot
from pipelines.workspace import Workspace
from surveys import releasing
from surveys.instrument_files import shipped
from surveys.released import released
from surveys.store import Invitee, NewAction, NewWave, Store
from tests.pipelines.syncing import workspace

BEGAN = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
SECRET = "zebra"  # A word of a comment that is to stay where it is.


@dataclass
class Survey:
    """A home with a store whose clock is set, and the workspace."""

    home: Home
    settings: Workspace
    at: datetime = BEGAN

    def __post_init__(self) -> None:
        self.home.create()
        address = surveys.address(self.home, self.settings)
        self.store = Store(address, self.home.survey_keys, clock=lambda: self.at)

    def open(self) -> None:
        """A wave that a team of twelve and one of two answer, each with a comment."""
        instrument = shipped()["pulse"]
        sizes = {"Web": 12, "Duo": 2}
        people = [
            Invitee(f"{team}{n}", ("Product", team)) for team, size in sizes.items() for n in range(size)
        ]
        self.store.open_wave(
            NewWave(
                id="spring",
                instrument_id=instrument.id,
                instrument_version=instrument.version,
                instrument=instrument.model_dump_json(),
                minimum_group=5,
                comment_group=10,
                opens_at=BEGAN,
                closes_at=BEGAN + timedelta(days=10),
                grace=timedelta(days=2),
            ),
            people,
        )
        for number, link in enumerate(self.store.links("spring")):
            said = f"{SECRET} duo" if link.person.startswith("Duo") else f"{SECRET} of Ada Lovelace"
            answers: dict[str, JsonValue] = {"docs-find": 1 + number % 5, "improve-one": said}
            assert self.store.submit(link.token, answers)

    def close(self) -> None:
        """Close it and release it."""
        self.at = BEGAN + timedelta(days=13)
        for _ in releasing.close(self.store, "spring", ["Ada Lovelace"]):
            pass

    def load(self) -> int:
        """Load what is released; the version of what was loaded."""
        with warehouse.writing(self.home) as connection:
            ingest.prepare(connection)
            assert surveys.load(connection, self.home, self.settings) is None
            (version,) = connection.execute("select version from raw.version").fetchall()[0]
        return int(version)


def made(folder: Path) -> Survey:
    settings = workspace(folder / "none.git").model_copy(update={"timezone": "Europe/Berlin"})
    return Survey(Home(folder / "home"), settings)


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return made(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Released, modelled and published."""
    survey = made(tmp_path_factory.mktemp("survey"))
    survey.open()
    survey.close()
    survey.store.add_action(NewAction("spring", "documentation", "said", "did", "done", BEGAN.date()))
    survey.load()
    with warehouse.writing(survey.home) as connection:
        for built in refresh.build(connection, survey.settings):
            assert built.broken == {}
        warehouse.publish(connection, survey.home, "f" * 64)
    return survey


@pytest.fixture(scope="module")
def snapshot(published: Survey) -> Snapshot:
    snapshot = warehouse.published(published.home)
    assert snapshot
    return snapshot


def test_cells_are_published_as_they_were_released(published: Survey, snapshot: Snapshot) -> None:
    released = [cell for cell in published.store.released("spring") if cell["kind"] == "cell"]
    keys = ("item_id", "statistic", "table", "group")
    rows = snapshot.rows(
        'select * rename (table_name as "table", group_name as "group") from marts.survey_cell'
    )
    cells = {tuple(row[key] for key in keys): row for row in rows}
    assert len(cells) == len(released) > 50
    for cell in released:
        row = cells[tuple(cell[key] for key in keys)]
        for key in ("status", "value", "n", "low", "high", "parent", "depth", "counts", "construct"):
            assert row[key] == cell[key]


def test_a_wave_is_published_with_its_local_days_and_promises(snapshot: Snapshot) -> None:
    (wave,) = snapshot.rows("from marts.survey_wave")
    assert (wave["invited"], wave["answered"], wave["response_rate"], wave["position"]) == (14, 14, 1.0, 1)
    assert (wave["minimum_group"], wave["comment_group"]) == (5, 10)
    # In the workspace's zone it was the next day by then.
    days = [wave[f"{what}_on"].isoformat() for what in ("opened", "closed", "released")]
    assert days == ["2026-03-02", "2026-03-12", "2026-03-15"]


def test_what_was_asked_and_what_was_done_are_published(snapshot: Snapshot) -> None:
    (item,) = snapshot.rows("from marts.survey_item where item_id = 'docs-find'")
    assert (item["construct"], item["low"], item["high"]) == ("documentation", 1, 5)
    (action,) = snapshot.rows("from marts.survey_action")
    assert (action["theme"], action["did"], action["status"]) == ("documentation", "did", "done")


def test_withheld_groups_have_no_figure_and_look_alike(snapshot: Snapshot) -> None:
    (row,) = snapshot.rows(
        "select distinct status, value, n, low, high, counts, dont_know, change from marts.survey_cell"
        " where group_name = 'Duo' and item_id in ('docs-find', 'improve-one')"
    )
    assert row.pop("status") == "suppressed"
    assert set(row.values()) == {None}


def test_comments_are_published_scrubbed_and_of_enough_people_only(snapshot: Snapshot) -> None:
    shown = snapshot.rows("from marts.survey_comment")
    assert {row["text"] for row in shown} == {f"{SECRET} of [name]"}
    assert [row["position"] for row in shown] == [*range(1, len(shown) + 1)]
    (wave,) = snapshot.rows("from marts.survey_wave")
    assert (wave["comments"], wave["comments_withheld"]) == (len(shown), 14 - len(shown))
    assert {row["group_name"] for row in shown} <= {"Web", "Product", ""}


def test_no_raw_answer_and_no_person_is_in_warehouse_or_snapshot(published: Survey) -> None:
    files = [published.home.warehouse, *published.home.published.glob("*.duckdb")]
    assert len(files) == 2
    for file in files:
        for table in tables(file):
            assert not [word for word in ("Lovelace", "Web1", "Duo1", f"{SECRET} duo") if word in table]
    assert "Lovelace" in str(published.store.answers("spring"))


def tables(file: Path) -> list[str]:
    """Every table of a database as text."""
    with duckdb.connect(file, read_only=True) as connection:
        names = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return [str(connection.execute(f'from {schema}."{name}"').fetchall()) for schema, name in names]


def test_until_it_is_released_nothing_of_a_wave_is_loaded(survey: Survey) -> None:
    survey.open()
    survey.load()
    survey.at = BEGAN + timedelta(days=13)
    survey.store.close("spring")
    survey.load()
    assert SECRET in str(survey.store.answers("spring"))
    assert not [table for table in tables(survey.home.warehouse) if "spring" in table or SECRET in table]


def test_only_news_has_anything_made_anew(published: Survey) -> None:
    before = published.load()
    assert published.load() == before
    published.store.add_action(NewAction("spring", "flow", "said", "did", "planned", BEGAN.date()))
    assert published.load() == before + 1


def test_without_surveys_no_store_is_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with warehouse.writing(home) as connection:
        assert surveys.load(connection, home, workspace(tmp_path / "none.git")) is None
        assert connection.execute("from survey.wave").fetchall() == []
    assert not home.survey_database.exists()


def test_a_store_that_cannot_be_read_takes_nothing_away(published: Survey, tmp_path: Path) -> None:
    broken = Home(shutil.copytree(published.home.root, tmp_path / "home"))
    for path in broken.root.glob("surveys.db*"):
        path.unlink()
    broken.survey_database.write_bytes(b"no database" * 1000)
    with warehouse.writing(broken) as connection:
        problem = surveys.load(connection, broken, published.settings)
        assert problem
        assert problem.startswith("surveys: ")
        assert connection.execute("select count(*) from survey.wave").fetchall() == [(1,)]


@pytest.mark.parametrize(("status", "n"), [("ok", 110), ("too_few", None), ("not_above_chance", None)])
def test_how_many_a_driver_rests_on_is_told_in_tens(published: Survey, status: str, n: int | None) -> None:
    (wave,) = released(published.store)
    told = {
        "outcome": "satisfaction", "status": status, "n": 117, "r_squared": 0.4, "threshold": 0.1,
        "caption": "", "shares": [{"construct": "flow", "share": 0.4, "direction": "rises"}],
    }  # fmt: skip
    assert [row[6] for row in surveys._drivers(wave, told)] == [n]
