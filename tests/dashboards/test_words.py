from __future__ import annotations

import re
from datetime import date

import pytest

from dashboards import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"), (float("nan"), "–"), (0, "0 s"), (45, "45 s"), (720, "12 min"), (5 * 3600, "5 h"),
        (36 * 3600, "36 h"), (2 * 86400, "2 days"), (3.24 * 86400, "3.2 days"), (12.6 * 86400, "13 days"),
        (400 * 86400, "400 days"), (2.5 * words.YEAR, "2.5 years"), (-5400, "−1.5 h"),
    ],
)  # fmt: skip
def test_durations_are_said_as_a_person_says_them(seconds: float | None, said: str) -> None:
    assert words.duration(seconds) == said


def test_nothing_and_none_are_told_apart() -> None:
    assert words.figure(None, "per_week") == words.figure(float("nan"), "count") == "–"
    assert words.figure(0, "per_week") == "0 per week"
    assert words.figure(0, "count") == "0"


@pytest.mark.parametrize(
    ("frequency", "said"),
    [(0, "none"), (0.25, "about one every 28 days"), (3.5, "about one every 2 days"), (21, "about 3 a day")],
)
def test_a_frequency_has_a_rhythm(frequency: float, said: str) -> None:
    assert words.rhythm(frequency) == said


def test_periods_have_names_of_their_own() -> None:
    start = date(2025, 4, 1)
    named = {words.period(start, grain) for grain in words.GRAINS}
    assert named == {"1 Apr 2025", "week of 1 Apr 2025", "Apr 2025", "Q2 2025", "2025"}


def test_a_span_names_its_last_day() -> None:
    assert words.span(date(2024, 6, 1), date(2025, 6, 1)) == "1 Jun 2024 – 31 May 2025"
    assert words.span(date(2024, 6, 1), date(2024, 6, 2)) == "1 Jun 2024"


def test_text_from_outside_is_inert_in_markdown() -> None:
    assert words.plain("[x](javascript:a) **b**\n:red[c]") == (r"\[x\]\(javascript\:a\) \*\*b\*\* \:red\[c\]")


def test_an_address_is_no_link() -> None:
    said = words.plain("https://a.example WWW.b.example c@d.example e www")
    assert not re.search(r"://\w|www\.|@\w", said, re.IGNORECASE)
    assert said.replace("\u2060", "") == r"https\://a.example WWW.b.example c@d.example e www"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.153, "ratio", "15 %"), (0.0456, "ratio", "4.6 %"), (0.0, "ratio", "0 %"), (1.0, "ratio", "100 %"),
        (2.5, "count", "2.5"), (1204.0, "count", "1,204"), (None, "ratio", "–"), (90.0, "seconds", "1.5 min"),
    ],
)  # fmt: skip
def test_every_unit_has_words(value: float | None, unit: str, said: str) -> None:
    assert words.figure(value, unit) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(-0.12, "ratio", "-12 points"), (7200, "seconds", "+2 h"), (0.5, "per_week", "+0.50 per week")],
)
def test_a_difference_has_a_sign(value: float, unit: str, said: str) -> None:
    assert words.difference(value, unit) == said


def test_a_reason_nobody_has_words_for_is_said_as_it_is() -> None:
    assert words.left_out({"bot": 1, "new_reason": 2}) == r"2 new\_reason, 1 made by a bot"


def test_nouns_have_plurals() -> None:
    said = [
        words.count(2, noun) for noun in ("deployment", "repository", "evidence", "unattributed incident")
    ]
    assert said == ["2 deployments", "2 repositories", "2 evidence", "2 unattributed incidents"]


def test_code_ends_where_it_should() -> None:
    assert words.code("^v*") == "`^v*`"
    assert words.code("a``b`\n[c](d)") == "``` a``b` [c](d) ```"
