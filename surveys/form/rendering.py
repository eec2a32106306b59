"""Templates into pages, in the reader's language."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from surveys import languages

HERE = Path(__file__).parent


def render(template: str, language: str, **values: object) -> str:
    """The page: `t(key, …)` in it are the words of `language`; whatever is put in is escaped."""
    text = partial(_text, language)
    return _environment().get_template(template).render(language=language, t=text, **values)


@cache
def content_security_policy() -> str:
    """What a browser is to allow the pages: their own style sheet, and to send the form back."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def _environment() -> Environment:
    mark = (HERE / "templates" / "mark.svg").read_text("utf-8").strip()
    drawn = mark.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"').encode()
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "icon": f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}",
        "language_name": languages.name,
        "mark": mark,
        "style": _style(),
    }
    return environment


@cache
def _style() -> str:
    return (HERE / "style.css").read_text("utf-8")


def _text(language: str, key: str, **values: object) -> str:
    return languages.words(language)[key].format(**values)
