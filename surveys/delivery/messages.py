"""What invitations and reminders say, in each language that the wave offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

import yaml

from surveys.languages import moment

_FOLDER = Path(__file__).with_name("texts")


class Words(NamedTuple):
    """A message."""

    subject: str
    text: str


@dataclass(frozen=True)
class Facts:
    """What a message tells of its wave."""

    organisation: str
    title: dict[str, str]
    """Language → title of the instrument."""
    minutes: int
    closes_at: datetime
    timezone: str
    """IANA name of the zone in which people are told when it closes."""
    minimum_group: int
    comment_group: int


def mail(kind: Literal["invitation", "reminder"], facts: Facts, languages: Sequence[str], link: str) -> Words:
    """One person's mail; in several languages one after the other, the subject in the first."""
    parts = [_filled(language, kind, facts, link) for language in _known(languages)]
    subject = " ".join(parts[0].subject.split())
    return Words(subject, "\n\n----\n\n".join(part.text.strip() for part in parts) + "\n")


def announcement(facts: Facts, languages: Sequence[str]) -> str:
    """What a channel is told: that a wave is open, and where the link is that it does not get."""
    return "\n\n".join(
        _filled(language, "announcement", facts, "").text.strip() for language in _known(languages)
    )


def _known(languages: Sequence[str]) -> list[str]:
    return [language for language in languages if (_FOLDER / f"{language}.yaml").exists()] or ["en"]


def _filled(language: str, kind: str, facts: Facts, link: str) -> Words:
    values = {
        "organisation": facts.organisation,
        "title": facts.title.get(language) or next(iter(facts.title.values())),
        "minutes": str(facts.minutes),
        "closes": moment(facts.closes_at, facts.timezone, language),
        "minimum_group": str(facts.minimum_group),
        "comment_group": str(facts.comment_group),
        "link": link,
    }
    words = _texts(language)[kind]
    return Words(*(Template(words.get(part, "")).substitute(values) for part in Words._fields))


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text("utf-8"))
    return texts
