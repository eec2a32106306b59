"""A survey form served over a real store, and what asks it as a browser would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.routing import Mount

from dashboards import pulse as form
from surveys.form.visits import Answering
from surveys.instrument_files import shipped
from surveys.instruments import Instrument
from tests.serving import serving
from tests.surveys.pulse import WAVE, Pulse, people, pulse

LAST = len(shipped()["core"].pages)
"""Number of the page that answers are sent from."""
OPEN = "item-improve-one"
"""Field of the open question, on that page."""


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    """By name in lower case, without the date."""
    html: str

    @property
    def text(self) -> str:
        return unescape(self.html)


@dataclass
class Form:
    """A served form; `wave` holds its store, clock and tokens."""

    url: str
    wave: Pulse

    @property
    def tokens(self) -> Sequence[str]:
        return list(self.wave.tokens.values())

    def get(self, path: str, **headers: str) -> Answered:
        """`path` is what follows `/pulse/`, already percent-encoded."""
        return ask(self.url, "GET", f"/pulse/{path}", headers=headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answered:
        body = urlencode(fields, errors="surrogatepass").encode()
        return ask(
            self.url,
            "POST",
            f"/pulse/{path}",
            body,
            {"content-type": "application/x-www-form-urlencoded", **headers},
        )

    def stored(self) -> list[dict[str, JsonValue]]:
        """End the wave; all answers that arrived."""
        self.wave.end()
        self.wave.store.close(WAVE.id)
        return [answer.values for answer in self.wave.store.answers(WAVE.id)]


@contextmanager
def served(
    folder: Path, instrument: Instrument | None = None, invited: int = 12, **settings: JsonValue
) -> Iterator[Form]:
    """A form over a new store in `folder`."""
    asked = instrument or shipped()["core"]
    new = replace(
        WAVE,
        instrument_id=asked.id,
        instrument=asked.model_dump_json(),
        minimum_group=7,
        comment_group=12,
        grace=timedelta(days=2),
        settings=settings,
    )
    with (
        pulse(f"sqlite:///{folder}/surveys.db", folder / "keys", people(invited), new) as wave,
        serving(app(wave.store)) as url,
    ):
        yield Form(url, wave)


def core() -> Any:
    """The shipped questionnaire, to be changed."""
    return json.loads(shipped()["core"].model_dump_json())


def app(store: Answering | None) -> Starlette:
    """Mounted as the dashboard does it."""
    return Starlette(routes=[Mount("/pulse", form.build(lambda: store))])


def ask(
    url: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answered:
    """One request, its path sent as it is."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        sent = {name.lower(): value for name, value in response.getheaders() if name.lower() != "date"}
        return Answered(response.status, sent, response.read().decode())
    finally:
        connection.close()
