"""What goes wrong over HTTP: one line in the tool's own words, without secrets."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, quote_plus

from connectors.connector import SourceError

HIDDEN = "***"

_LONGEST_WORDS = 200
_SHORTEST_SECRET = 4
_USERINFO = re.compile(r"(?<=://)[^/\s@?#]+@")
_SECRET_PARAMETER = re.compile(
    r"([?&][^=&#\s]*(?:token|key|password|passwd|secret|signature|\bsig|jwt|auth|credential)[^=&#\s]*=)[^&#\s\"'<>]+",
    re.IGNORECASE,
)
_KNOWN_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # JSON Web Token
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|gloas-|glptt-)[\w-]{8,}"
    r"|(?<=\bBearer )[\w.~+/=-]{16,}|(?<=\bBasic )[A-Za-z0-9+/]{12,}={0,2}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_WORD_KEYS = ("error_description", "message", "detail", "title", "error", "errors", "code", "name")


class HttpError(SourceError):
    """A request that came to nothing. `str()` is one line in the tool's own words, without secrets."""

    def __init__(
        self, message: str, mend: str, *, status: int | None = None, is_transient: bool = False
    ) -> None:
        super().__init__(message, mend, is_transient=is_transient)
        self.status = status
        """Of the last answer; None where there was none."""


class Unauthorized(HttpError):
    """401: the credentials are wrong, expired or missing."""


class Forbidden(HttpError):
    """403 that is no rate limit: the credentials may not do this."""


class NotFound(HttpError):
    """404, 410 or 451: it is not there, or hidden from these credentials."""


class Refused(HttpError):
    """Any other 4xx."""


class Unavailable(HttpError):
    """No usable answer after every retry, or a rate limit that resets too late. A later run may succeed."""

    def __init__(self, message: str, mend: str, *, status: int | None = None) -> None:
        super().__init__(message, mend, status=status, is_transient=True)


class GraphQLError(HttpError):
    """An answer of errors alone, without data."""

    def __init__(self, message: str, mend: str, errors: Sequence[dict[str, Any]]) -> None:
        super().__init__(message, mend, status=200)
        self.errors = list(errors)
        """Each with `type`, `path` and `message`; None where the tool does not say."""


_BY_STATUS: dict[int, tuple[type[HttpError], str]] = {
    401: (Unauthorized, "Check the credentials: they may be mistyped, expired or revoked"),
    403: (Forbidden, "Give the credentials the permission to read this"),
    404: (NotFound, "Check the name; tools also say this of what the credentials may not see"),
    410: (NotFound, "It is gone, or switched off in the tool"),
    451: (NotFound, "It is withheld for legal reasons"),
}


class Redaction:
    """Hides secrets in text: those it was given, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Hide these as well from now on."""
        parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
        forms = {form for part in parts for form in (part, quote(part, safe=""), quote_plus(part))}
        known = {form for form in forms if len(form) >= _SHORTEST_SECRET} | set(self._secrets)
        # A secret that holds another is to go as a whole.
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _KNOWN_SHAPES.sub(HIDDEN, _USERINFO.sub("", text))
        return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", text)

    def __repr__(self) -> str:
        return f"Redaction({len(self._secrets)} secrets)"

    def line(self, text: str, longest: int = _LONGEST_WORDS) -> str:
        """`text` on one line of at most `longest` characters, without secrets and control characters."""
        printable = "".join(c if c.isprintable() else " " for c in self(text[:100_000]))
        line = " ".join(printable.split())
        return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def words(body: bytes) -> str:
    """What an error's body says: JSON's usual shapes, a page's title, or plain text; not yet redacted."""
    text = body.decode("utf-8", "replace")
    try:
        said = _said(json.loads(text))
    except (ValueError, RecursionError):
        title = _TITLE.search(text)
        is_page = title is not None or text.lstrip().startswith("<")
        said = html.unescape(title[1]) if title else "" if is_page else text
    return said


def _said(value: Any) -> str:
    """The sentence in an error's JSON, whatever its shape."""
    match value:
        case str():
            return value.strip()
        case list():
            return "; ".join(filter(None, map(_said, value[:5])))
        case {"message": str() as message, "errors": list() as errors}:
            return ": ".join(filter(None, (message.strip(), _said(errors))))
        case dict():
            for key in _WORD_KEYS:
                if said := _said(value.get(key)):
                    field = value.get("field")
                    return f"{field} {said}" if key == "code" and isinstance(field, str) else said
            # GitLab names the faulty field: {"base": ["is too long"]}.
            parts = [f"{key} {said}" for key, each in list(value.items())[:5] if (said := _said(each))]
            return "; ".join(parts)
    return ""


def for_status(status: int, line: str, missing: str = "") -> HttpError:
    """The error of a 4xx; `missing` is the permission that the tool says is missing. Both are redacted."""
    kind, mend = _BY_STATUS.get(status, (Refused, "Check the settings of this source"))
    if missing and status in {403, 404}:
        mend = f"{mend}: {missing}"
    return kind(line, f"{mend}.", status=status)


def phrase(status: int) -> str:
    """HTTP's own words for a status; empty for an unknown one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
