"""Signing in at a real identity provider; what nobody gets past by URL, cookie, header or websocket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from playwright.sync_api import Error as PlaywrightError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from dashboards.roles import Role
from dashboards.site import PAGES
from pipelines.home import Home
from tests.dashboards import snapshot
from tests.dashboards.identity import PEOPLE, Person, Place, signing_in
from tests.dashboards.snapshot import Plan

pytestmark = pytest.mark.browser

LONGER_THAN_A_SESSION = 9 * 3600
NOT_YOURS = "This page is not for your role"
CLOSED = [page for page in PAGES if Role.developer not in page.readers]
DRAWN = rf'tag: "h1"\s+body: "({"|".join(page.title for page in CLOSED)})'


@pytest.fixture(scope="module")
def place(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    snapshot.publish(home, Plan(every_days=20), "first")
    with signing_in(home, tmp_path_factory.mktemp("identity")) as place:
        yield place


@pytest.fixture
def someone(place: Place, browser: Browser) -> Iterator[Person]:
    """Somebody with a browser of their own, not signed in."""
    context = browser.new_context()
    yield Person(place, context)
    context.close()


@pytest.fixture(scope="module")
def developer(place: Place, browser: Browser) -> Iterator[Person]:
    context = browser.new_context()
    person = Person(place, context)
    person.sign_in("dev")
    yield person
    context.close()


@pytest.mark.parametrize(
    "path",
    ["/", "/adoption?team=x", "/media/0.csv", "/_stcore/metrics", "/_stcore/agent/openapi.json",
     "/static/x.js", "/component/x", "/auth/login", "//healthz", "/healthz/", "/sign-in",
     "/API/v1/openapi.json"],
)  # fmt: skip
def test_nothing_is_there_for_the_signed_out(someone: Person, path: str) -> None:
    refused = someone.get(path)
    assert (refused.status, refused.text()) == (401, "Sign in first")
    assert refused.headers["www-authenticate"]
    forged = someone.get(path, headers={"X-Cairn-Roles": "admin", "Cookie": "cairn=" + "A" * 43})
    assert forged.status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/readyz", 200), ("/pulse/no-such-link", 404), ("/api/v1/openapi.json", 200)],
)
def test_what_has_credentials_of_its_own_needs_no_session(someone: Person, path: str, status: int) -> None:
    assert someone.get(path).status == status


def test_a_sign_in_leads_back_to_the_page(someone: Person) -> None:
    landed = someone.sign_in("dev", "/adoption?team=a%26b&x=1")
    assert landed.url == someone.place.address + "/adoption?team=a%26b&x=1"
    assert landed.status == 200
    cookie = someone.cookie()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("expires")) == (True, "Lax", -1)
    # Nothing is in it to be read, changed or kept.
    assert len(cookie.get("value", "")) == 43
    assert not {each.get("name", "") for each in someone.context.cookies()} & {
        "_streamlit_user",
        "cairn_sign_in",
    }


@pytest.mark.parametrize(
    "to", ["//evil.example/x", "/\\evil.example", "https://evil.example", "/\t/evil.example"]
)
def test_a_sign_in_leads_to_no_other_site(someone: Person, to: str) -> None:
    assert someone.sign_in("dev", "/", back_to=to).url == someone.place.address + "/"


def test_without_a_role_there_is_nothing_but_a_word(someone: Person) -> None:
    refused = someone.sign_in("temp", "/adoption")
    assert refused.status == 403
    assert "You are signed in, and have no role here: ask #platform on Slack." in refused.text()
    assert someone.get("/media/0.csv").status == 403
    assert said(someone.socket()) == ["auth_redirect"]


def test_a_cookie_that_was_tampered_with_is_none(someone: Person) -> None:
    someone.sign_in("dev")
    value = str(someone.cookie().get("value"))
    for changed in (value[:-1], value + "A", value.swapcase(), "", "None", "\\x00"):
        assert someone.get("/media/0.csv", headers={"Cookie": f"cairn={changed}"}).status == 401
        assert said(someone.socket(cookie=changed)) == ["auth_redirect"]
    assert someone.get("/media/0.csv").status == 404


def test_a_callback_is_believed_once_and_where_it_was_begun(someone: Person, browser: Browser) -> None:
    code = someone.sign_in("dev", stop_before_callback=True).headers["location"]
    other = Person(someone.place, browser.new_context())
    # As a link that is to sign somebody in as somebody else.
    assert other.get(code, max_redirects=0).status == 400
    assert someone.get(code.replace("state=", "state=x"), max_redirects=0).status == 400
    assert someone.get(code.replace("code=", "code=x"), max_redirects=0).status == 403
    other.context.close()
    assert "cairn" not in {each.get("name") for each in someone.context.cookies()}
    code = someone.sign_in("dev", stop_before_callback=True).headers["location"]
    assert someone.get(code, max_redirects=0).status == 303
    assert someone.get(code, max_redirects=0).status == 400
    denied = someone.get("/sign-in/callback?error=access_denied&error_description=dev@acme.example")
    assert denied.status == 403
    assert "access_denied" in denied.text()
    assert "acme.example" not in denied.text()


def test_signing_out_ends_the_session_for_whoever_has_the_cookie(someone: Person) -> None:
    someone.sign_in("dev")
    stolen = {"Cookie": f"cairn={someone.cookie().get('value')}"}
    assert someone.get("/media/0.csv", headers=stolen).status == 404
    someone.get("/sign-out", max_redirects=0)
    assert someone.get("/media/0.csv", headers=stolen).status == 401


def test_a_role_that_was_taken_away_goes_with_the_session(someone: Person) -> None:
    place = someone.place
    someone.sign_in("lead")
    place.set_people({**PEOPLE, "lead": []})
    with someone.socket() as socket:
        assert NOT_YOURS not in drawn(socket, rerun("actions"))
        place.set_ahead(LONGER_THAN_A_SESSION)
        try:
            assert someone.get("/media/0.csv").status == 401
            # Not even what is sent over a connection that was open before.
            socket.send(rerun("actions").SerializeToString())
            assert said(socket) == ["auth_redirect"]
            assert someone.sign_in("lead").status == 403
        finally:
            place.set_ahead(0)
            place.set_people(PEOPLE)


def test_a_page_of_other_roles_is_not_drawn_by_any_name(developer: Person, someone: Person) -> None:
    someone.sign_in("admin")
    hashes: dict[str, str] = {}
    with someone.socket() as socket:
        for page in CLOSED:
            assert re.search(DRAWN, drawn(socket, rerun(page.path), hashes))
    with developer.socket(headers={"X-Cairn-Roles": "admin", "x-cairn-roles": "admin platform"}) as socket:
        assert NOT_YOURS not in drawn(socket, rerun("actions"))
        for page in CLOSED:
            # A part of a page that this connection was never shown is not drawn at all.
            socket.send(rerun(page.path, hashes[page.path], fragment="x").SerializeToString())
            for message in (rerun(page.path), rerun("actions", hashes[page.path])):
                assert NOT_YOURS in (sent := drawn(socket, message))
                assert not re.search(DRAWN, sent)
        for name in (f"/{CLOSED[0].path}/", f"../{CLOSED[0].path}"):
            assert not re.search(DRAWN, drawn(socket, rerun(name)))


def test_a_download_is_for_whoever_has_a_role(developer: Person, someone: Person) -> None:
    with developer.socket() as socket:
        page = drawn(socket, rerun("adoption"))
        session, file = re.search(r'session_id: "(.+?)"', page), re.search(r'deferred_file_id: "(.+?)"', page)
        assert session
        assert file
        message = BackMsg()
        message.backend_operation_request.session_id = session[1]
        message.backend_operation_request.deferred_file.file_id = file[1]
        socket.send(message.SerializeToString())
        while not (
            url := ForwardMsg.FromString(received(socket)).backend_operation_response.deferred_file.url
        ):
            pass
        assert developer.get(url).headers["content-type"].startswith("text/csv")
        assert someone.get(url).status == 401
        someone.sign_in("temp")
        assert someone.get(url).status == 403


def test_a_connection_from_another_site_is_refused(developer: Person) -> None:
    for origin in ("https://evil.example", "null", developer.place.address + ".evil.example"):
        with pytest.raises(InvalidStatus, match="403"):
            developer.socket(headers={"Origin": origin})
    with developer.socket(headers={"Origin": developer.place.address}) as socket:
        assert "Actions" in drawn(socket, rerun("actions"))


def test_no_page_of_a_signed_out_person_leaks_into_logs(developer: Person) -> None:
    log = developer.place.log()
    assert "acme.example" not in log
    assert not [word for word in ("code=", "cto-office", "Traceback", "Deprecat") if word in log]


def test_a_person_comes_in_looks_round_and_leaves(someone: Person, shot: Path | None) -> None:
    page = someone.context.new_page()
    page.goto(someone.place.address + "/waves?x=1")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        if shot:
            page.screenshot(path=shot / f"signed-out-{scheme}.png")
        # Its policy lets no script in, axe's neither: the same page is looked at without one.
        looked_at = someone.context.new_page()
        looked_at.emulate_media(color_scheme=scheme)
        looked_at.set_content(page.content())
        assert not Axe().run(looked_at).response["violations"]
        looked_at.close()
    page.get_by_role("link", name="Sign in").press("Enter")
    page.get_by_placeholder("Enter any login").fill("lead")
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    expect(page.get_by_role("heading", name=NOT_YOURS)).to_be_visible()
    assert page.url == someone.place.address + "/waves?x=1"
    expect(page.get_by_text("Waves is for people with the role admin or platform.")).to_be_visible()
    menu = page.get_by_test_id("stSidebar")
    expect(menu.get_by_text("Signed in: leadership")).to_be_visible()
    expect(menu.get_by_role("link", name="Adoption")).to_be_visible()
    expect(menu.get_by_role("link", name="Waves")).to_have_count(0)
    if shot:
        page.screenshot(path=shot / "no-access.png")

    other = someone.context.new_page()
    other.goto(someone.place.address + "/actions")
    expect(other.get_by_role("heading", name="Actions", exact=True)).to_be_visible()
    menu.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(other.get_by_role("heading", name="Sign in to see this page")).to_be_visible()
    assert other.url == someone.place.address + "/actions"
    other.go_back()
    expect(other.get_by_text("Actions", exact=True)).to_have_count(0)


def test_an_open_page_asks_for_a_new_sign_in_when_its_session_ends(someone: Person) -> None:
    someone.sign_in("dev")
    page = someone.context.new_page()
    page.goto(someone.place.address + "/comments")
    expect(page.get_by_role("heading", name="Comments", exact=True)).to_be_visible()
    actions = page.get_by_role("link", name="Actions")
    expect(actions).to_be_visible()
    someone.place.set_ahead(LONGER_THAN_A_SESSION)
    try:
        # What the page sends by itself may have come before.
        with suppress(PlaywrightError):
            actions.click(timeout=5_000)
        expect(page.get_by_role("heading", name="Sign in to see this page")).to_be_visible()
        page.get_by_role("link", name="Sign in").click()
        expect(page.get_by_role("heading", name="Comments", exact=True)).to_be_visible()
    finally:
        someone.place.set_ahead(0)


def rerun(page: str = "", script_hash: str = "", fragment: str = "") -> BackMsg:
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.page_script_hash = script_hash
    message.rerun_script.fragment_id = fragment
    return message


def drawn(socket: ClientConnection, message: BackMsg, hashes: dict[str, str] | None = None) -> str:
    """All that is sent in answer until the script has ended; page's URL → hash into `hashes`."""
    socket.send(message.SerializeToString())
    words = []
    while True:
        answer = ForwardMsg.FromString(received(socket))
        words.append(str(answer))
        if hashes is not None:
            hashes |= {each.url_pathname: each.page_script_hash for each in answer.navigation.app_pages}
        if answer.WhichOneof("type") == "script_finished":
            return "\n".join(words)


def received(socket: ClientConnection) -> bytes:
    message = socket.recv(timeout=30)
    assert isinstance(message, bytes)
    return message


def said(socket: ClientConnection) -> list[str | None]:
    """The kinds of messages that come before the other side closes."""
    kinds = []
    with socket:
        try:
            while True:
                kinds.append(ForwardMsg.FromString(received(socket)).WhichOneof("type"))
        except ConnectionClosed:
            return [kind for kind in kinds if kind not in {"session_status_changed", "session_event"}]
