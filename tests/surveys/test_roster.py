"""The roster: rows of a file, one place a person, and what is wrong said without an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from surveys.roster import Place, RosterError, invitees, places, read
from surveys.store import Invitee

PARENTS = {"Web": "Product", "Pay": "Product", "Product": None}


def written(folder: Path, text: str) -> Path:
    path = folder / "roster.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def test_a_file_is_read_whatever_its_case_order_and_delimiter(tmp_path: Path) -> None:
    for text in (
        "Team,Address,role\nWeb, ada@acme.example ,engineer\n\nPay,bo@acme.example,\n",
        "role;team;ADDRESS\r\nengineer;Web;ada@acme.example\r\n;Pay;bo@acme.example\r\n",
    ):
        rows = read(written(tmp_path, text))
        assert [(row.address, row.team, row.role, row.tier) for row in rows] == [
            ("ada@acme.example", "Web", "engineer", None),
            ("bo@acme.example", "Pay", None, None),
        ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "",
            (
                "there is no column address and no team."
                " Begin the file with the line address,team,name,tier,role"
            ),
        ),
        ("address\n", "there is no column team"),
        ("address,team\nada@acme.example,Web\nsecret-person,Pay\n", ":3: address is no mail address"),
        ("address,team\nada@acme.example,\n", ":2: team is empty"),
        ("address,team\na da@acme.example,Web\n", ":2: address is no mail address"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_without_an_address(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(RosterError) as caught:
        read(written(tmp_path, text))
    assert said in str(caught.value)
    assert not {"secret-person", "ada"} & set(str(caught.value).split())


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match=r"people\.csv: No such file.*Correct `surveys\.roster\.file`"):
        read(tmp_path / "people.csv")


def test_everybody_is_asked_once_for_the_largest_of_their_teams() -> None:
    some = [Place(person, "Web") for person in "abcd"] + [Place(person, "Pay") for person in "cdefg"]
    found = {each.person: each for each in invitees([*some, some[0]], PARENTS)}
    assert found.keys() == set("abcdefg")
    assert found["c"] == Invitee("c", ("Product", "Pay"))
    assert found["a"].team_path == ("Product", "Web")


def test_of_teams_alike_the_first_by_name_and_the_same_again() -> None:
    some = [Place("a", "Web", "tier-1", "lead"), Place("a", "Pay", "tier-2")]
    assert invitees(some, PARENTS) == invitees(some[::-1], PARENTS)
    assert invitees(some, PARENTS)[0] == Invitee("a", ("Product", "Pay"), "tier-2", None)


def test_an_unknown_team_stands_at_the_top_and_a_circle_ends() -> None:
    (found,) = invitees([Place("a", "Guild")], PARENTS)
    assert found.team_path == ("Guild",)
    (found,) = invitees([Place("a", "x")], {"x": "y", "y": "x"})
    assert found.team_path == ("y", "x")


def test_only_hashes_leave_the_file(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "address,team\nada@acme.example,Web\n"))
    assert places(rows, lambda address: f"hash of {len(address)}") == [Place("hash of 16", "Web")]
