"""Streams that are read whole: yielded when they are not as they were."""

from __future__ import annotations

from connectors.connector import Batch, Quarantined
from connectors.records import Team
from connectors.snapshot import Seen, changes, digest, fields

PAY, WEB = Team("pay", "Pay", None, "team"), Team("web", "Web", None, "team")
BAD = Quarantined("team", "teams", "bad", "name is missing")


def test_the_order_is_no_change() -> None:
    (first,) = changes("teams", None, [Seen("team", [PAY, WEB])])
    assert isinstance(first, Batch)
    assert (first.is_whole, first.records) == (True, [PAY, WEB])
    assert not list(changes("teams", first.cursor, [Seen("team", [WEB, PAY])]))


def test_each_stream_moves_its_own_part_of_the_cursor() -> None:
    one, both = changes("teams", {"other": 1}, [Seen("team", [PAY]), Seen("service", [])])
    assert isinstance(one, Batch)
    assert isinstance(both, Batch)
    assert one.cursor == {"other": 1, "team": digest([PAY])}
    assert both.cursor == {"other": 1, "team": digest([PAY]), "service": digest([])}
    (again,) = changes("teams", one.cursor, [Seen("team", [PAY]), Seen("service", [])])
    assert isinstance(again, Batch)
    assert again.stream == "service"


def test_what_is_quarantined_comes_first_and_once() -> None:
    quarantined, batch = changes("teams", None, [Seen("team", [PAY], [BAD])])
    assert quarantined == BAD
    assert isinstance(batch, Batch)
    assert not list(changes("teams", batch.cursor, [Seen("team", [PAY], [BAD])]))
    (mended,) = changes("teams", batch.cursor, [Seen("team", [PAY])])
    assert isinstance(mended, Batch)


def test_a_cursor_of_another_make_has_no_fields() -> None:
    assert fields(None) == fields([1]) == fields("x") == {}
