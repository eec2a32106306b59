"""What the form says in each language, and which language a reader gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_datetime

FOLDER = Path(__file__).parent / "languages"


@cache
def known() -> tuple[str, ...]:
    """Languages the form speaks; English first, which a reader of none of them gets."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.yaml")), key=lambda name: (name != "en", name)))


@cache
def words(language: str) -> Mapping[str, str]:
    """Key → words of a known language, with `{…}` to be filled in."""
    return MappingProxyType(yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8")))


def name(language: str) -> str:
    """As those call it who speak it."""
    named = Locale.parse(language, sep="-").get_display_name(language) or language
    return named[:1].upper() + named[1:]


def moment(at: datetime, zone: str, language: str) -> str:
    """Day and time in words, with the zone's name."""
    pattern = words(language)["moment"]
    return format_datetime(at, pattern, tzinfo=ZoneInfo(zone), locale=language.replace("-", "_"))


def chosen(asked: str, accepted: str, offered: Sequence[str]) -> str:
    """`asked` where it is offered; else what an Accept-Language header likes best; else the first offered."""
    if asked in offered:
        return asked
    liked: list[tuple[float, str]] = []
    for entry in accepted.split(","):
        tag, _, quality = entry.strip().partition(";q=")
        try:
            liked.append((float(quality or 1), tag.strip().lower()))
        except ValueError:
            continue
    # The sort is stable: of two liked alike, the one named first.
    for weight, tag in sorted(liked, key=lambda each: -each[0]):
        for language in offered:
            if weight > 0 and tag.split("-")[0] == language.split("-")[0].lower():
                return language
    return offered[0]
