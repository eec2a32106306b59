"""Times as tools write them, and items that cannot be understood."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.connector import Quarantined
from connectors.parsing import Malformed, instant, moment, parsed


class TestInstant:
    @pytest.mark.parametrize(
        ("text", "at"),
        [
            ("2024-02-29T10:00:00Z", datetime(2024, 2, 29, 10, tzinfo=UTC)),
            ("2024-02-29T10:00:00.123Z", datetime(2024, 2, 29, 10, microsecond=123_000, tzinfo=UTC)),
            ("2024-02-29T10:00:00.123456789Z", datetime(2024, 2, 29, 10, microsecond=123_456, tzinfo=UTC)),
            ("2024-03-01T01:30:00+02:00", datetime(2024, 2, 29, 23, 30, tzinfo=UTC)),
            ("2024-02-29 10:00:00+0000", datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ],
    )
    def test_a_time_is_read_in_utc(self, text: str, at: datetime) -> None:
        assert instant(text) == moment(text) == at
        assert str(moment(text).tzinfo) == "UTC"

    @pytest.mark.parametrize("text", [None, "0001-01-01T00:00:00Z"])
    def test_none_and_zero_are_none(self, text: str | None) -> None:
        assert instant(text) is None
        with pytest.raises(Malformed):
            moment(text)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "soon",
            "2024-02-30T10:00:00Z",
            "2024-02-29T10:00:00",
            "2024-02-29",
            "0099-01-01T00:00:00Z",
            "0001-01-02T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2400-01-01T00:00:00Z",
            17,
            ["2024-02-29T10:00:00Z"],
        ],
    )
    def test_what_is_no_moment_is_malformed(self, text: Any) -> None:
        with pytest.raises(Malformed):
            instant(text)


class TestParsed:
    def parse(self, item: dict[str, Any]) -> int:
        moment(item["at"])
        instant(item["author"]["since"])
        return int(item["count"])

    def test_the_rest_goes_on(self) -> None:
        good = {"id": 1, "at": "2024-01-01T00:00:00Z", "author": {"since": None}, "count": "7"}
        bad = [
            good | {"id": 2, "at": "ada@example.invalid"},
            good | {"id": 3, "author": {"since": "ada"}},
            good | {"id": 4, "author": None},
            good | {"id": 5, "count": "ada"},
            {"id": 6},
            "ada",
        ]
        made, failed = parsed([good, *bad, good], self.parse, "job", "shop", lambda item: item["id"])
        assert made == [7, 7]
        assert [(each.id, each.reason) for each in failed] == [
            ("2", "at is no time"),
            ("3", "since is no time"),
            ("4", "a field is missing or of another type than documented"),
            ("5", "a field is missing or of another type than documented"),
            ("6", "at is missing"),
            ("without an id", "is no object"),
        ]
        assert {(each.stream, each.scope) for each in failed} == {("job", "shop")}

    def test_nothing_of_an_item_is_quoted(self) -> None:
        item = {"id": 1, "at": "ada@example.invalid", "author": "Ada", "count": "Ada"}
        for parse in (self.parse, lambda item: int(item["count"]), lambda item: item["author"].lower.x):
            (quarantined,) = parsed([item], parse, "job", "shop", lambda item: item["id"])[1]
            assert isinstance(quarantined, Quarantined)
            assert "ada" not in repr(quarantined).lower()

    def test_other_errors_are_ours_and_show(self) -> None:
        with pytest.raises(ZeroDivisionError):
            parsed([1], lambda item: item / 0, "job", "shop", str)
