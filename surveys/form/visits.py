"""What the form shows to whoever opens a link, and what becomes of what they send.

Every visit is a token, the address's query, and perhaps fields. Going anywhere saves what was typed, so that
no page, language or day loses it. Pages are chosen on the server: the form needs no script.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from pydantic import JsonValue

from surveys import languages
from surveys.errors import StoreError, TooLong
from surveys.form.answers import MOST_CHARACTERS, Problem, asked, field_name, read, shown_pages
from surveys.form.rendering import render
from surveys.instruments import Instrument, Page, Value

if TYPE_CHECKING:
    from surveys.store.records import Action, Invitation

MOST_ACTIONS = 5

log = logging.getLogger(__name__)


class Answering(Protocol):
    """What the form needs of the survey store."""

    def look_up(self, token: str) -> Invitation | None: ...
    def partial(self, token: str) -> dict[str, JsonValue]: ...
    def save_partial(self, token: str, answers: Mapping[str, JsonValue]) -> bool: ...
    def submit(self, token: str, answers: Mapping[str, JsonValue]) -> bool: ...
    def actions(self) -> list[Action]: ...


@dataclass(frozen=True)
class Reply:
    """A page, or the query of the same address to go on with."""

    status: int
    html: str = ""
    query: str | None = None


@dataclass(frozen=True)
class _Visit:
    token: str
    invitation: Invitation
    instrument: Instrument
    offered: tuple[str, ...]
    language: str
    answers: dict[str, Value]
    """Saved earlier; all to items that are asked."""

    @property
    def pages(self) -> list[tuple[int, Page]]:
        return shown_pages(self.instrument, self.answers)

    def moment(self, name: str) -> str:
        zone = str(self.invitation.settings.get("timezone", "UTC"))
        return languages.moment(getattr(self.invitation, name), zone, self.language)


@dataclass(frozen=True)
class _Trouble:
    """Why a page is shown again with what was typed on it."""

    typed: Mapping[str, Value]
    problems: list[Problem] = field(default_factory=list)
    words: str = ""
    status: int = 422


def show(store: Answering, token: str, query: Mapping[str, str], accepted: str) -> Reply:
    """The page the query names; `accepted` is the browser's Accept-Language. Changes nothing."""
    visit = _visit(store, token, query, accepted)
    if visit is None:
        return message("closed", 404, query, accepted)
    page = _page(visit, query)
    if page is None:
        return _welcome(visit)
    return _questions(visit, page, is_saved="saved" in query)


def take(
    store: Answering, token: str, query: Mapping[str, str], fields: Mapping[str, str], accepted: str
) -> Reply:
    """Save or submit what the page that the query names sent."""
    visit = _visit(store, token, query, accepted)
    if visit is None:
        return message("closed", 404, query, accepted)
    page = _page(visit, query)
    if page is None:
        return _welcome(visit)
    reading = read(page[1].items, fields)
    if reading.problems:
        return _questions(visit, page, _Trouble(reading.typed, reading.problems))
    there = {item.id for item in page[1].items}
    others = {name: value for name, value in visit.answers.items() if name not in there}
    answers = asked(visit.instrument, others | reading.answers)
    visit, words = replace(visit, answers=answers), languages.words(visit.language)
    go = fields.get("go", "next")
    try:
        if go == "send" and page[0] == visit.pages[-1][0]:
            if not answers:
                return _questions(visit, page, _Trouble({}, words=words["nothing"]))
            is_taken = store.submit(token, answers)
            return _thanks(store, visit) if is_taken else message("closed", 404, query, accepted)
        if not store.save_partial(token, answers):
            return message("closed", 404, query, accepted)
    except TooLong:
        return _questions(visit, page, _Trouble(reading.typed, words=words["too_much"]))
    except StoreError as error:
        log.error("Answers could not be saved: %s", type(error).__name__)
        return _questions(visit, page, _Trouble(reading.typed, words=words["not_saved"], status=503))
    return _moved(visit, page[0], go)


def message(key: str, status: int, query: Mapping[str, str], accepted: str) -> Reply:
    """One of the pages that depend on nobody: `closed`, `too_large`, `not_understood`, `unavailable`."""
    language = languages.chosen(query.get("lang", ""), accepted, languages.known())
    return Reply(status, _message(key, language))


@lru_cache
def _message(key: str, language: str) -> str:
    return render("message.html", language, key=key)


def _visit(store: Answering, token: str, query: Mapping[str, str], accepted: str) -> _Visit | None:
    invitation = store.look_up(token)
    if invitation is None:
        return None
    instrument = _instrument(invitation.instrument)
    offered = _offered(instrument, invitation.settings.get("languages"))
    language = languages.chosen(query.get("lang", ""), accepted, offered)
    return _Visit(token, invitation, instrument, offered, language, asked(instrument, store.partial(token)))


def _offered(instrument: Instrument, wanted: JsonValue) -> tuple[str, ...]:
    spoken = tuple(each for each in instrument.languages if each in languages.known())
    return tuple(each for each in spoken if isinstance(wanted, list) and each in wanted) or spoken


@lru_cache(maxsize=16)
def _instrument(stored: str) -> Instrument:
    return Instrument.model_validate_json(stored)


def _page(visit: _Visit, query: Mapping[str, str]) -> tuple[int, Page] | None:
    """The page with that number, or where it asks nothing now the next that does; None for the welcome."""
    numbers = {str(number): number for number, _ in enumerate(visit.instrument.pages, start=1)}
    wanted = numbers.get(query.get("page", ""))
    return next((page for page in visit.pages if wanted and page[0] >= wanted), None)


def _moved(visit: _Visit, number: int, go: str) -> Reply:
    """Where a button leads from page `number`."""
    numbers = [each for each, _ in visit.pages]
    query = {"page": str(number), "lang": visit.language}
    if go == "back":
        query["page"] = str(max((each for each in numbers if each < number), default=0))
    elif go == "privacy":
        query["page"] = "0"
    elif go == "later":
        query["saved"] = "1"
    elif go.startswith("language-"):
        query["lang"] = go.removeprefix("language-")
    else:
        query["page"] = str(min((each for each in numbers if each > number), default=number))
    return Reply(303, query=urlencode(query))


def _welcome(visit: _Visit) -> Reply:
    numbers = [
        number for number, page in visit.pages if not visit.answers.keys() >= {item.id for item in page.items}
    ]
    html = render(
        "welcome.html",
        visit.language,
        instrument=visit.instrument,
        languages=visit.offered,
        organisation=visit.invitation.settings.get("organisation"),
        minimum_group=visit.invitation.minimum_group,
        comment_group=visit.invitation.comment_group,
        closes=visit.moment("closes_at"),
        accepts_until=visit.moment("accepts_until"),
        answers=visit.answers,
        page=(numbers or [visit.pages[-1][0]])[0],
    )
    return Reply(200, html)


def _questions(
    visit: _Visit, page: tuple[int, Page], trouble: _Trouble | None = None, *, is_saved: bool = False
) -> Reply:
    numbers = [number for number, _ in visit.pages]
    said = [_said(problem, visit.language) for problem in trouble.problems] if trouble else []
    general = [{"anchor": "", "label": "", "words": trouble.words}] if trouble and trouble.words else []
    html = render(
        "questions.html",
        visit.language,
        languages=visit.offered,
        number=page[0],
        page=page[1],
        step=numbers.index(page[0]) + 1,
        steps=len(numbers),
        is_last=page[0] == numbers[-1],
        is_saved=is_saved,
        accepts_until=visit.moment("accepts_until"),
        typed=trouble.typed if trouble else visit.answers,
        problems=said + general,
        wrong={problem["item"]: problem["words"] for problem in said},
        most=MOST_CHARACTERS,
    )
    return Reply(trouble.status if trouble else 200, html)


def _said(problem: Problem, language: str) -> dict[str, str]:
    item = problem.item
    first = "" if item.scale is None else f"-{item.scale.low}"
    return {
        "item": item.id,
        "anchor": field_name(item) + first,
        "label": f"{item.label[language]}: ",
        "words": languages.words(language)[problem.key].format(length=problem.length, most=MOST_CHARACTERS),
    }


def _thanks(store: Answering, visit: _Visit) -> Reply:
    try:
        actions = store.actions()[:MOST_ACTIONS]
    except StoreError:  # the answers are in: that is what this page has to say
        actions = []
    return Reply(200, render("thanks.html", visit.language, actions=actions))
