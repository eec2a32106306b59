"""What the renderings are filled into; text from outside is escaped in all of them."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards import words

FOLDER = Path(__file__).parent


def _is_markup(name: str | None) -> bool:
    return name is None or not name.endswith((".md.jinja", ".txt.jinja"))


TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=_is_markup,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["md"] = words.plain
