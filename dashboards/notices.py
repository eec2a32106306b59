"""Pages for those who see none of Cairn's: signed out, without a role, not signed in after all, astray."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.responses import HTMLResponse

from dashboards.theme import LOGO, MARK

CHALLENGE = {"WWW-Authenticate": 'Cookie realm="Cairn"'}
"""What HTTP wants beside a 401."""


def signed_out(path: str) -> HTMLResponse:
    """Asks whoever wants to see `path`, a path with its query, to sign in."""
    text = "You are not signed in, or your session has ended. You come back to this page."
    response = _page(
        401, "Sign in to see this page", text, f"/sign-in/?next={quote(path, safe='')}", "Sign in"
    )
    response.headers.update(CHALLENGE)
    return response


def no_role(contact: str) -> HTMLResponse:
    """Somebody who is known to the provider and has nothing to read here."""
    text = f"You are signed in, and have no role here: ask {contact}."
    return _page(403, "There is nothing here for you yet", text, "/sign-out", "Sign out")


def farewell() -> HTMLResponse:
    """After signing out."""
    return _page(200, "You are signed out", "Cairn keeps nothing about you.", "/sign-in/", "Sign in again")


def failed(reason: str, status: int) -> HTMLResponse:
    """A sign-in that came to nothing; `reason` is a sentence."""
    return _page(status, "You could not be signed in", reason, "/sign-in/", "Try again")


def no_such_page() -> HTMLResponse:
    """A path at which there is nothing."""
    text = "There is no page at this address. It may have another name by now."
    return _page(404, "There is no such page", text, "/", "To the first page")


def unknown_address() -> HTMLResponse:
    """Asked for by a name that is not Cairn's."""
    text = (
        "Cairn does not know the address you are using, and answers under its own alone: that of this "
        "machine, and `public_url` of `sign_in` in the workspace file."
    )
    return _page(400, "This is not Cairn's address", text)


def _page(status: int, title: str, text: str, link: str = "", action: str = "") -> HTMLResponse:
    template, policy = _loaded()
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    body = template.render(title=title, text=text, link=link, action=action)
    return HTMLResponse(body, status, headers)


@cache
def _loaded() -> tuple[Template, str]:
    here = Path(__file__).parent
    style = (here / "notice.css").read_text("utf-8")
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, undefined=StrictUndefined)
    environment.globals |= {
        "icon": f"data:image/svg+xml;base64,{base64.b64encode(MARK.encode()).decode()}",
        "logo": LOGO,
        "style": style,
    }
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return environment.get_template("notice.html"), policy
