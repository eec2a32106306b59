"""Questionnaires from YAML files, each on the items of the bank and its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field

from surveys import languages
from surveys.instruments import Construct, Id, Instrument, Item, ItemBase, Page, Scale, Text, Version
from surveys.yaml_file import Location, Problem, YamlFile

SHIPPED = Path(__file__).parent / "instruments"
BANK = "bank.yaml"


class InstrumentError(Exception):
    """A questionnaire that cannot be used; `str()` is one line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class _Item(ItemBase):
    scale: Id | None = None


class _Page(BaseModel, extra="forbid"):
    title: Text
    items: list[Id] = Field(min_length=1)


class _Sheet(BaseModel, extra="forbid"):
    scales: dict[Id, Scale] = {}
    constructs: dict[Id, Construct] = {}
    items: list[_Item] = []


class _Questionnaire(_Sheet):
    id: Id
    version: Version
    minutes: int = Field(ge=1, le=30)
    title: Text
    pages: list[_Page] = Field(min_length=1)


@dataclass(frozen=True)
class Bank:
    """What questionnaires choose from, by id."""

    constructs: Mapping[str, Construct] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    items: Mapping[str, Item] = field(default_factory=dict)


@cache
def shipped() -> Mapping[str, Instrument]:
    """The questionnaires that Cairn brings, by id."""
    return MappingProxyType(load_folder(SHIPPED))


@cache
def bank() -> Bank:
    """The shipped core bank."""
    file = YamlFile(SHIPPED / BANK)
    sheet = file.validated(_Sheet)
    known = _extended(Bank(), sheet, file) if sheet else Bank()
    if file.problems:
        raise InstrumentError(file.problems)
    return known


def load_folder(folder: Path) -> dict[str, Instrument]:
    """Every questionnaire in `folder` by id; raises `InstrumentError` with the problems of all of them."""
    known = bank()
    loaded: dict[str, Instrument] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name == BANK:
            continue
        try:
            instrument = load(path, known)
        except InstrumentError as error:
            problems += error.problems
            continue
        if instrument.id in loaded:
            mend = "Give each questionnaire an id of its own"
            problems.append(Problem(str(path), 1, "id", f"`{instrument.id}` is another file's", mend))
        loaded[instrument.id] = instrument
    if problems:
        raise InstrumentError(problems)
    return loaded


def load(path: Path, known: Bank | None = None) -> Instrument:
    """The questionnaire at `path` on the items of `known`, the shipped bank unless given, and its own.

    Raises `InstrumentError` with everything that is wrong with it.
    """
    known = known or bank()
    file = YamlFile(path)
    sheet = file.validated(_Questionnaire)
    if sheet is None:
        raise InstrumentError(file.problems)
    known = _extended(known, sheet, file)
    _check_pages(sheet, known, file)
    if file.problems:
        raise InstrumentError(file.problems)
    pages = tuple(
        Page(title=page.title, items=tuple(known.items[name] for name in page.items)) for page in sheet.pages
    )
    asked = {item.construct_id for page in pages for item in page.items}
    instrument = Instrument(
        id=sheet.id,
        version=sheet.version,
        minutes=sheet.minutes,
        title=sheet.title,
        pages=pages,
        constructs={name: each for name, each in known.constructs.items() if name in asked},
    )
    _check_languages(instrument, file)
    _check_scores(instrument, file)
    if file.problems:
        raise InstrumentError(file.problems)
    return instrument


def _extended(known: Bank, sheet: _Sheet, file: YamlFile) -> Bank:
    """`known` and what `sheet` adds to it; what cannot be added is noted in `file`."""
    for section in ("scales", "constructs"):
        for name in getattr(sheet, section).keys() & getattr(known, section).keys():
            file.add((section, name), "is the bank's", "Give it another name")
    constructs = {**sheet.constructs, **known.constructs}
    scales = {**sheet.scales, **known.scales}
    items = dict(known.items)
    for index, each in enumerate(sheet.items):
        place: Location = ("items", index)
        if each.id in items:
            file.add((*place, "id"), f"`{each.id}` is taken", "Give each item an id of its own")
        if each.construct_id not in constructs:
            message = f"there is no construct `{each.construct_id}`"
            file.add((*place, "construct"), message, "Correct its name")
            continue
        if each.scale is not None and each.scale not in scales:
            file.add((*place, "scale"), f"there is no scale `{each.scale}`", "Correct its name")
            continue
        scale = scales[each.scale] if each.scale else None
        if (each.direction == "neutral") != (constructs[each.construct_id].score == "none"):
            message = "is `neutral` where the construct has no score, and there alone"
            file.add((*place, "direction"), message, "Write `positive` or `negative`, or leave it out")
        if scale is None and constructs[each.construct_id].score != "none":
            file.add((*place, "construct"), "is scored, and an open question has no score", "Give it a scale")
        fields: dict[str, Any] = {name: getattr(each, name) for name in ItemBase.model_fields}
        items[each.id] = Item(**fields, scale=scale)
    return Bank(constructs, scales, items)


def _check_pages(sheet: _Questionnaire, known: Bank, file: YamlFile) -> None:
    """What is asked is known and asked once, and a condition is about an answer given on an earlier page."""
    earlier: set[str] = set()
    for number, page in enumerate(sheet.pages):
        for index, name in enumerate(page.items):
            place: Location = ("pages", number, "items", index)
            if name not in known.items:
                file.add(place, f"there is no item `{name}`", "Take one of the bank, or write it in `items`")
                continue
            if name in earlier or name in page.items[:index]:
                file.add(place, f"`{name}` is asked twice", "Ask it once")
            item = known.items[name]
            if item.replaces and any(item.replaces in each.items for each in sheet.pages):
                file.add(place, f"`{name}` replaces `{item.replaces}`, which is asked too", "Ask one of them")
            if item.show_if is None:
                continue
            condition, about = item.show_if, known.items.get(item.show_if.item)
            if condition.item not in earlier or about is None:
                message = f"`{name}` depends on `{condition.item}`, which no earlier page asks"
                file.add(place, message, f"Ask `{condition.item}` on an earlier page")
            elif about.scale is None or not set(condition.values) <= set(about.scale.values):
                message = f"`{name}` waits for an answer that `{condition.item}` cannot have"
                file.add(place, message, "Name values of its scale")
        earlier.update(page.items)
    last = [known.items[name] for name in sheet.pages[-1].items if name in known.items]
    if last and all(item.show_if for item in last):
        message = "nothing on the last page is asked of everyone, and answers are sent from there"
        file.add(("pages", len(sheet.pages) - 1), message, "Put a question without `show_if` on it")


def _check_languages(instrument: Instrument, file: YamlFile) -> None:
    for language in instrument.languages:
        if language not in languages.known():
            mend = f"Write it in {' or '.join(languages.known())}"
            file.add(("title", language), f"the form does not speak `{language}`", mend)
    for what, text in _texts(instrument):
        if lacking := [language for language in instrument.languages if language not in text]:
            mend = "Write it in every language of the questionnaire's title"
            file.add(("title",), f"{what} has no text in {', '.join(lacking)}", mend)


def _texts(instrument: Instrument) -> Iterator[tuple[str, Text]]:
    for page in instrument.pages:
        yield "the title of a page", page.title
    for name, construct in instrument.constructs.items():
        yield f"the construct `{name}`", construct.title
    for item in instrument.items:
        yield f"the item `{item.id}`", item.text
        yield f"the label of `{item.id}`", item.label
        if item.hint:
            yield f"the hint of `{item.id}`", item.hint
        for label in item.scale.labels.values() if item.scale else ():
            yield f"the scale of `{item.id}`", label


def _check_scores(instrument: Instrument, file: YamlFile) -> None:
    for name, construct in instrument.constructs.items():
        items = [item for item in instrument.items if item.construct_id == name]
        scales = [item.scale for item in items if item.scale]
        if construct.score == "nps" and any(scale.kind != "recommendation" for scale in scales):
            message = f"`{name}` is a net promoter score of something else than recommendation"
            file.add(("pages",), message, "Give its items a scale of the kind `recommendation`")
        if construct.score == "umux_lite" and [(each.low, each.high) for each in scales] != [(1, 7)] * 2:
            message = f"`{name}` is a UMUX-Lite, which has two items, each on 1 to 7"
            file.add(("pages",), message, "Ask both of them")
