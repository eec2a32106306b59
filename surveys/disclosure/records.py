"""What goes into a release and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from surveys.disclosure.measures import Measure
from surveys.statistics import Drivers

ORGANISATION = ""
"""The group of everybody, at the root of the team tree."""

Table = Literal["team", "tier", "role"]
Status = Literal["ok", "suppressed", "no_data", "too_few"]
Group = tuple[Table, str]


class Breach(Exception):
    """What was to be released would tell of fewer people than it may; the message says where, not whom."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """What is known of who answered: paths of teams, root first, one for each membership; tier and role."""

    team_paths: tuple[tuple[str, ...], ...]
    tier: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """A person of a wave's roster, as frozen at its opening, and whether they answered."""

    person: str
    cohort: Cohort
    has_answered: bool


@dataclass(frozen=True, slots=True)
class Respondent:
    """One set of answers by item: a scale's value, "na", or a comment's text; and the themes it touches."""

    cohort: Cohort
    values: Mapping[str, Any]
    themes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wave:
    """A closed wave, about to be released; ValueError for thresholds too low.

    `team_paths` are teams of whom perhaps nobody was invited, to be shown as without data.
    """

    id: str
    measures: tuple[Measure, ...]
    invited: Sequence[Invited]
    respondents: Sequence[Respondent]
    comment_items: tuple[str, ...] = ()
    team_paths: tuple[tuple[str, ...], ...] = ()
    minimum_group: int = 5
    comment_group: int = 10

    def __post_init__(self) -> None:
        if self.minimum_group < 5 or self.comment_group < 10:
            raise ValueError("Groups of fewer than 5, and comments of fewer than 10, are never shown.")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A cell against the latest earlier wave that shows the same one; in the unit of the cell's value.

    `p_holm` is adjusted for all comparisons of the group between the two waves; `says` is a sentence.
    """

    wave: str
    change: float
    low: float
    high: float
    p_value: float
    p_holm: float
    is_change: bool
    detectable: float
    says: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One released number of one group, or that there is none; every suppressed cell looks alike.

    `value`, `low`, `high`: ratio for top2, response and theme; 0 to 100 for mean and umux_lite; -100 to 100
    for nps. `counts` are the categories as published, `deviation` the standard deviation on 0 to 100.
    `rolls_up_to` is the group above that is shown in a suppressed one's stead.
    """

    wave: str
    item_id: str
    construct: str
    statistic: str
    table: Table
    group: str
    parent: str | None
    depth: int
    status: Status
    value: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    counts: Mapping[str, int] | None = None
    deviation: float | None = None
    dont_know: int | None = None
    rolls_up_to: str | None = None
    comparison: Comparison | None = None

    @property
    def where(self) -> Group:
        return self.table, self.group

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Cell:
        comparison = fields.get("comparison")
        return cls(**{**fields, "comparison": Comparison(**comparison) if comparison else None})


@dataclass(frozen=True, slots=True)
class Released:
    """An earlier wave as it was released: its roster and its cells."""

    wave: str
    invited: Sequence[Invited]
    cells: Sequence[Cell]
    minimum_group: int = 5


@dataclass(frozen=True, slots=True)
class PlacedComment:
    """A comment and the one team at which it is shown, where `n` people wrote."""

    item_id: str
    group: str
    parent: str | None
    n: int
    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """All that is shown of a wave; `comments_withheld` counts those of too few people even for the whole."""

    cells: tuple[Cell, ...]
    comments: tuple[PlacedComment, ...] = ()
    comments_withheld: int = 0
    drivers: tuple[Drivers, ...] = ()
