"""What a wave asks: items on scales, for constructs, on pages. Immutable, and complete in itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=64)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z][A-Za-z]+)?$")]
Text = dict[Language, Annotated[str, Field(min_length=1, max_length=1000)]]
"""Language → words."""
Version = Annotated[int, Field(ge=1)]

NOT_APPLICABLE = "na"
"""The answer "don't know, or doesn't apply" to an item with a scale."""

Value = int | str
"""An answer: a value of the item's scale or `NOT_APPLICABLE`; a comment's text. No answer is no entry."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True)


class Scale(_Model):
    """Whole numbers from `low` to `high`; both ends, or all points, have labels."""

    kind: Literal["rating", "recommendation"]
    """`recommendation` is 0 to 10, as the net promoter score needs it."""
    low: int
    high: int
    labels: dict[int, Text]

    @property
    def values(self) -> range:
        """Ascending."""
        return range(self.low, self.high + 1)

    @model_validator(mode="after")
    def _well_formed(self) -> Scale:
        if not 2 <= len(self.values) <= 11:
            raise ValueError("a scale has from 2 to 11 points")
        if self.kind == "recommendation" and (self.low, self.high) != (0, 10):
            raise ValueError("a scale of recommendation runs from 0 to 10")
        if sorted(self.labels) not in ([self.low, self.high], list(self.values)):
            raise ValueError("`labels` are for the two ends, or for every point")
        return self


class Construct(_Model):
    """What items measure together, and how it is scored."""

    title: Text
    score: Literal["top2", "nps", "umux_lite", "none"]
    source: str = Field(min_length=1)
    """Who is to be cited for it."""


class Condition(_Model):
    """Holds where an earlier item was shown and answered with one of `values`."""

    item: Id
    values: tuple[int, ...] = Field(alias="in", min_length=1)


class ItemBase(_Model):
    """What an item says of itself; its scale is elsewhere."""

    id: Id
    """Immutable: never another meaning, scale, direction or construct, nor other people who are asked."""
    version: Version
    """Raised with a mended wording that means the same."""
    construct_id: Id = Field(alias="construct")
    direction: Literal["positive", "negative", "neutral"] = "neutral"
    """`positive`: high values are good; `negative`: low ones are; `neutral`: there is nothing to score."""
    label: Text
    """For tables and charts."""
    text: Text
    hint: Text | None = None
    dont_know: bool = True
    """Offers `NOT_APPLICABLE`."""
    show_if: Condition | None = None
    replaces: Id | None = None
    """The item whose trend ends where this one's begins."""


class Item(ItemBase):
    """A question."""

    scale: Scale | None = None
    """None: an open question, answered with a comment."""

    @property
    def is_comment(self) -> bool:
        """Whether it is answered in one's own words."""
        return self.scale is None


class Page(_Model):
    """What is asked at once."""

    title: Text
    items: tuple[Item, ...]


class Instrument(_Model):
    """A questionnaire; `model_dump_json()` is its stored copy."""

    id: Id
    version: Version
    minutes: int = Field(ge=1, le=30)
    """How long answering takes."""
    title: Text
    pages: tuple[Page, ...]
    constructs: dict[Id, Construct]
    """Those of its items."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Every text is there in each of them; the first is what a reader of no other gets."""
        return tuple(self.title)

    @property
    def items(self) -> tuple[Item, ...]:
        """In the order in which they are asked."""
        return tuple(item for page in self.pages for item in page.items)

    def item(self, item_id: str) -> Item | None:
        """The item of that id, if it asks it."""
        return next((item for item in self.items if item.id == item_id), None)
