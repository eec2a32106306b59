"""The reading API over HTTP: its rows, pages, validators and refusals."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from pipelines import figures, warehouse
from pipelines.figures import ADOPTION_ROW_KEYS, ROW_KEYS
from pipelines.home import Home
from tests.dashboards import reading_api
from tests.dashboards.reading_api import FORMULA, Query, Reader, publish, reading, refused

home, reader = reading_api.home, reading_api.reader


# Rows


def printed(home: Home, metric: str, level: str, grain: str) -> list[dict[str, object]]:
    """The rows as `cairn metrics --format json` prints them."""
    snapshot = warehouse.published(home)
    assert snapshot
    told = json.dumps(figures.metric_rows(snapshot, [metric], level, grain), default=str)
    rows: list[dict[str, object]] = json.loads(told)
    return rows


@pytest.mark.parametrize(
    ("path", "metric", "level", "keys"),
    [
        ("metrics", "change_lead_time", "service", ROW_KEYS),
        ("metrics", "deployments", "team", ROW_KEYS),
        ("adoption", "reach", "organisation", ADOPTION_ROW_KEYS),
        ("adoption", "voluntary_share", "service", ADOPTION_ROW_KEYS),
    ],
)
def test_rows_are_those_of_the_command_line(
    home: Home, reader: Reader, path: str, metric: str, level: str, keys: tuple[str, ...]
) -> None:
    answer = reader.get(path, {"metric": metric, "level": level, "grain": "week"})
    wanted = printed(home, metric, level, "week")
    assert {tuple(row) for row in answer.rows} == {keys}
    # What a figure means is told by the definitions, of which a snapshot made by hand has others.
    assert [row | {"definition": ""} for row in answer.rows] == [row | {"definition": ""} for row in wanted]
    assert all(row["definition"] for row in answer.rows)


def test_without_a_filter_every_metric_of_the_area_is_told(reader: Reader) -> None:
    delivery = {row["metric"] for row in reader.get("metrics", {"limit": "10000"}).rows}
    adoption = {row["metric"] for row in reader.get("adoption", {"limit": "10000"}).rows}
    assert {"deployments", "wip"} <= delivery
    assert {"reach", "depth"} <= adoption
    assert not delivery & adoption


@pytest.mark.parametrize(
    ("query", "column", "values"),
    [
        ({"metric": ["wip", "deployments"]}, "metric", {"wip", "deployments"}),
        ({"level": "service", "key": ["shop", FORMULA], "metric": "wip"}, "key", {"shop", FORMULA}),
        ({"level": "team", "metric": "wip"}, "key", {"Payments", "Search"}),
        ({"grain": "year", "metric": "wip"}, "period_start", {"2025-01-01", "2026-01-01"}),
        (
            {"metric": "wip", "since": "2026-02-01", "until": "2026-03-02"},
            "period_start",
            {"2026-02-01", "2026-03-01"},
        ),
        ({"metric": "wip", "since": "2026-02-28", "until": "2026-03-01"}, "period_start", {"2026-02-01"}),
    ],
)
def test_filters(reader: Reader, query: Query, column: str, values: set[str]) -> None:
    assert {row[column] for row in reader.get("metrics", query).rows} == values


def test_capabilities_and_the_platform_as_a_whole(reader: Reader) -> None:
    def offers(query: str) -> set[str | None]:
        return {row["capability"] for row in reader.get("adoption", f"metric=reach&{query}").rows}

    assert offers("") == {None, "golden-path", "jenkins"}
    assert offers("capability=") == {None}
    assert offers("capability=jenkins&capability=") == {None, "jenkins"}


def test_surveys_tell_released_cells_and_of_withheld_ones_a_status(reader: Reader) -> None:
    rows = [row for page in reader.pages("surveys", {"limit": "500"}) for row in page.rows]
    assert {row["wave"] for row in rows} == {"2025-11", "2026-02", "2026-05", "2026-08"}
    withheld = [row for row in rows if row["status"] == "suppressed"]
    assert {row["group_name"] for row in withheld} == {"Search"}
    figure = ("value", "n", "low", "high", "dont_know", "counts", "change", "is_change", "change_says")
    assert {row[name] for row in withheld for name in figure} == {None}
    shown = reader.get(
        "surveys", "wave=2026-08&item_id=delivery-ease&statistic=top2&table_name=team&group_name="
    )
    (row,) = shown.rows
    assert (row["label"], row["opened_on"], row["status"]) == ("From finished to live", "2026-08-03", "ok")
    assert row["low"] < row["value"] < row["high"]
    (response,) = reader.get("surveys", "wave=2026-08&statistic=response&group_name=Commerce").rows
    assert response["counts"] == {"invited": 64, "answered": 46}
    assert "text" not in row


# CSV


def test_csv_is_the_same_and_holds_no_formula(reader: Reader) -> None:
    query = {"level": "service", "metric": "change_lead_time"}
    rows = reader.get("metrics", query).rows
    answer = reader.get("metrics", query, Accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    cells = [*csv.DictReader(StringIO(answer.text))]
    assert [float(row["value"]) for row in cells if row["value"]] == [
        row["value"] for row in rows if row["value"] is not None
    ]
    assert {row["key"] for row in cells} == {"shop", "cart", f"'{FORMULA}"}
    assert json.loads(cells[0]["excluded"]) == rows[0]["excluded"]
    assert reader.get("metrics", query | {"format": "csv"}).text == answer.text
    counts = csv.DictReader(StringIO(reader.get("surveys", "statistic=response&format=csv").text))
    assert json.loads(next(counts)["counts"])["invited"] > 0


def test_csv_of_nothing_has_its_header(reader: Reader) -> None:
    answer = reader.get("metrics", {"since": "2099-01-01", "format": "csv"})
    assert answer.text == ",".join(ROW_KEYS) + "\r\n"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html, */*;q=0.8", "json"),
        ("text/csv, */*", "csv"),
        ("application/json;q=0.5, text/csv", "csv"),
        ("application/json, text/csv;q=0.9", "json"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=x", "json"),
    ],
)
def test_the_form_that_is_asked_for(reader: Reader, accept: str, form: str) -> None:
    answer = reader.get("metrics", {"limit": "1"}, Accept=accept)
    assert form in answer.headers["content-type"]
    assert "Accept" in answer.headers["vary"]


# Pages


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("metrics", {"level": "service", "grain": "month"}),
        ("adoption", {"level": "team", "grain": "quarter"}),
        ("surveys", {"wave": "2026-08"}),
    ],
)
def test_pages_make_up_the_whole(reader: Reader, path: str, query: dict[str, str]) -> None:
    whole = reader.get(path, query | {"limit": "10000"})
    assert whole.body["next"] is None
    assert "link" not in whole.headers
    pages = [*reader.pages(path, query | {"limit": "97"})]
    assert [row for page in pages for row in page.rows] == whole.rows
    assert [len(page.rows) for page in pages[:-1]] == [97] * (len(pages) - 1)
    assert len({repr(row) for row in whole.rows}) == len(whole.rows) > 97
    assert pages[0].headers["link"] == f'<{pages[0].body["next"]}>; rel="next"'


def test_a_page_that_just_fits_is_the_last(reader: Reader) -> None:
    rows = reader.get("metrics", {"metric": "wip"}).rows
    assert reader.get("metrics", {"metric": "wip", "limit": str(len(rows))}).body["next"] is None
    assert reader.get("metrics", {"metric": "wip", "limit": str(len(rows) - 1)}).body["next"]


def test_a_new_snapshot_does_not_disturb_whoever_pages(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(home, "first")
    with reading(home) as reader:
        query = {"level": "service", "limit": "50"}
        pages = reader.pages("metrics", query)
        first = next(pages)
        whole = reader.get("metrics", query | {"limit": "10000"}).rows
        publish(home, "second")
        assert [row for page in [first, *pages] for row in page.rows] == whole
        assert reader.get("metrics", query).body["snapshot"] == "second"
        (home.published / "first.duckdb").unlink()
        gone = reader.get("metrics", first.body["next"].removeprefix("?"))
        refused(gone, 410)
        assert "begin without it" in gone.body["detail"]


def test_a_cursor_is_of_its_query_alone(reader: Reader) -> None:
    following = reader.get("metrics", "metric=wip&limit=2").body["next"].removeprefix("?")
    cursor = following.partition("cursor=")[2]
    assert reader.get("metrics", f"metric=wip&limit=3&format=csv&cursor={cursor}").status == 200
    (error,) = refused(reader.get("metrics", f"metric=wip&level=team&cursor={cursor}"))
    assert error["detail"] == "belongs to another query"
    refused(reader.get("adoption", f"cursor={cursor}"))


@pytest.mark.parametrize("cursor", ["", "x", "e30", "W10", "%FF", "%00", "e30=", "A" * 2001, "%C3%BC"])
def test_what_is_no_cursor_is_refused(reader: Reader, cursor: str) -> None:
    (error,) = refused(reader.get("metrics", f"cursor={cursor}"))
    assert error["parameter"] == "cursor"


def test_a_cursor_leads_to_no_other_file(home: Home, reader: Reader, tmp_path: Path) -> None:
    from dashboards.api import cursors
    from dashboards.api.asked import MetricQuery

    query = MetricQuery(metric=("wip",))
    (home.root / "other.duckdb").write_bytes((home.published / "first.duckdb").read_bytes())
    for snapshot in ("../other", "*", "second"):
        cursor = cursors.written(query, snapshot, "wip", ("", "2000-01-01"))
        refused(reader.get("metrics", f"metric=wip&cursor={cursor}"), 410)
    for part, place in (
        ("wip", ("", "yesterday")), ("wip", ("",)), ("wip", ("", "2000-01-01", "")), ("reach", ("", "")),
    ):  # fmt: skip
        cursor = cursors.written(query, "first", part, place)
        refused(reader.get("metrics", f"metric=wip&cursor={cursor}"))


# Validators


def test_who_has_a_page_is_not_sent_it_again(
    home: Home, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = reader.get("metrics", "metric=wip").headers["etag"]
    assert tag.startswith('"')
    with monkeypatch.context() as patch:
        # Nothing is opened to find that out.
        patch.setattr(warehouse, "published", None)
        for given in (tag, f'"x", W/{tag}', "*"):
            answer = reader.get("metrics", "metric=wip", If_None_Match=given)
            assert (answer.status, answer.text, answer.headers["etag"]) == (304, "", tag)
    assert reader.get("metrics", "metric=wip", If_None_Match='"x"').status == 200
    others = ["metric=wip&limit=2", "metric=deployments", "metric=wip&format=csv"]
    tags = {reader.get("metrics", query).headers["etag"] for query in others}
    tags.add(reader.get("metrics", "metric=wip", Accept_Encoding="gzip").headers["etag"])
    assert len(tags | {tag}) == 5


def test_a_new_snapshot_changes_the_validator(tmp_path: Path) -> None:
    home = Home(tmp_path)
    publish(home, "first")
    with reading(home) as reader:
        tag = reader.get("surveys").headers["etag"]
        publish(home, "second")
        assert reader.get("surveys", If_None_Match=tag).headers["etag"] != tag


def test_head_and_options(reader: Reader) -> None:
    whole, head = reader.get("metrics", "metric=wip"), reader.get("metrics", "metric=wip", "HEAD")
    assert (head.status, head.text) == (200, "")
    assert {k: v for k, v in head.headers.items() if k != "date"} == {
        k: v for k, v in whole.headers.items() if k != "date"
    }
    for path, methods in (("metrics", {"GET", "HEAD", "OPTIONS"}), ("events/incidents", {"POST", "OPTIONS"})):
        options = reader.get(path, method="OPTIONS")
        assert options.status == 204
        assert {*options.headers["allow"].split(", ")} == methods
    refused(reader.get("metrics", method="POST"), 405)


# Refusals


@pytest.mark.parametrize(
    ("path", "query", "parameter", "mend"),
    [
        ("metrics", "metrics=wip", "metrics", "There are cursor, format, grain, key"),
        ("metrics", "metric=wipp", "metric", "wip_age"),
        ("metrics", "metric=reach", "metric", "Ask /api/v1/adoption"),
        ("adoption", "metric=wip", "metric", "Ask /api/v1/metrics"),
        ("metrics", "level=service&key=shpo", "key", "shop"),
        ("metrics", "level=tier", "level", "'organisation', 'team'"),
        ("metrics", "grain=hour", "grain", "'day', 'week'"),
        ("metrics", "grain=day&grain=week", "grain", "Give it once"),
        ("metrics", "since=2026-1-1", "since", "2026-03-01"),
        ("metrics", "since=2026-02-30", "since", "2026-03-01"),
        ("metrics", "since=20260301", "since", "2026-03-01"),
        ("metrics", "since=0", "since", "2026-03-01"),
        ("metrics", "since=", "since", "2026-03-01"),
        ("metrics", "since=2026-03-01&until=2026-03-01", "until", "later"),
        ("metrics", "limit=0", "limit", "1"),
        ("metrics", "limit=10001", "limit", "10000"),
        ("metrics", "limit=1e3", "limit", "10000"),
        ("metrics", "limit=%209", "limit", "10000"),
        ("metrics", "format=xml", "format", "'json' or 'csv'"),
        ("metrics", "capability=jenkins", "capability", "There are"),
        ("metrics", "metric=" + "x" * 301, "metric", ""),
        ("metrics", "&".join(["metric=wip"] * 101), "metric", ""),
        ("adoption", "capability=jenkin", "capability", "jenkins"),
        ("surveys", "wave=2026", "wave", "2026-08"),
        ("surveys", "statistic=mode", "statistic", "'top2'"),
        ("surveys", "table_name=person", "table_name", "'team', 'tier' or 'role'"),
        ("surveys", "item_id=delivery", "item_id", "delivery-ease"),
        ("surveys", "group_name=Serach", "group_name", "Search"),
        ("surveys", "metric=wip", "metric", "There are cursor, format, group_name"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_would_be(
    reader: Reader, path: str, query: str, parameter: str, mend: str
) -> None:
    (error,) = refused(reader.get(path, query))
    assert error["parameter"] == parameter
    assert mend in error["detail"] + error["mend"]


@pytest.mark.parametrize("value", ["'; drop table marts.wip; --", '"', "\x00", "%", "../../etc/passwd", "🗿"])
@pytest.mark.parametrize("parameter", ["metric", "key", "grain", "since", "cursor", "x"])
def test_nothing_that_is_given_is_run(reader: Reader, parameter: str, value: str) -> None:
    refused(reader.get("metrics", {parameter: value}))


def test_everything_wrong_is_told_at_once(reader: Reader) -> None:
    errors = refused(reader.get("metrics", "limit=0&x=1&since=y&grain=day&grain=day"))
    assert sorted(each["parameter"] for each in errors) == ["grain", "limit", "since", "x"]


def test_without_a_snapshot_it_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with reading(home) as reader:
        for path in ("metrics", "adoption", "surveys"):
            answer = reader.get(path, If_None_Match="*")
            refused(answer, 503)
            assert "cairn sync" in answer.body["detail"]
        home.create()
        (home.published / "CURRENT").write_text("broken")
        (home.published / "broken.duckdb").write_bytes(b"no database")
        answer = reader.get("metrics")
        refused(answer, 503)
        assert str(home.root) not in answer.text
