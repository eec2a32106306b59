"""What comments are about: themes by the words in them, so that the counting can be read and argued with."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml


def themes_of(text: str) -> frozenset[str]:
    """The themes of a comment; none, one or several."""
    folded = text.casefold()
    return frozenset(theme for theme, pattern in _patterns().items() if pattern.search(folded))


def names() -> tuple[str, ...]:
    """Every theme."""
    return tuple(_patterns())


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    words: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return {theme: re.compile("|".join(map(_pattern, some))) for theme, some in words.items()}


def _pattern(word: str) -> str:
    end = r"\b" if word.startswith("=") else ""
    return rf"\b{re.escape(word.removeprefix('='))}{end}"
