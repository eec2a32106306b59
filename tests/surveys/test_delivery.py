"""Mails reach everybody once: whatever the server says, and whenever the sender is cut short."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from surveys.delivery import messages
from surveys.delivery.journal import Busy, Journal, held
from surveys.delivery.mail import MailError, Server
from surveys.delivery.messages import Facts, Words
from surveys.delivery.rounds import Tally, deliver
from surveys.store import Link
from tests.surveys.mailbox import Mailbox

SENDER = "Platform team <platform@acme.example>"
PEOPLE = [f"p{number}" for number in range(6)]
ADDRESSES = {person: f"{person}@acme.example" for person in PEOPLE}


def links(*used: str) -> list[Link]:
    return [Link(person, f"token-{person}", person in used) for person in PEOPLE]


def words(token: str) -> Words:
    return Words("Two minutes", f"https://cairn.acme.example/pulse/{token}\n")


def begun(folder: Path, number: int = 0) -> Journal:
    folder.mkdir(exist_ok=True)
    journal = Journal(folder)
    journal.begin(number, PEOPLE)
    return journal


def server(box: Mailbox) -> Server:
    return Server("127.0.0.1", box.port, "none")


def sent(
    box: Mailbox, journal: Journal, used: tuple[str, ...] = (), addresses: dict[str, str] = ADDRESSES
) -> Tally:
    return deliver(journal, links(*used), addresses, words, server(box), SENDER)


def test_everybody_gets_a_mail_of_their_own(tmp_path: Path) -> None:
    with Mailbox() as box:
        tally = sent(box, begun(tmp_path))
    assert (tally.sent, box.connections) == (6, 1)
    assert sorted(box.addresses) == sorted(ADDRESSES.values())
    for message in box.messages:
        person = str(message["To"]).partition("@")[0]
        assert message.get_content().replace("\r", "") == f"https://cairn.acme.example/pulse/token-{person}\n"
        assert [line for line in str(message).splitlines() if "token-" in line] == [
            f"https://cairn.acme.example/pulse/token-{person}"
        ]
        assert str(message["From"]) == SENDER
        assert message["Auto-Submitted"] == "auto-generated"
        assert str(message["Message-ID"]).endswith("@acme.example>")
    assert len({str(message["Message-ID"]) for message in box.messages}) == 6


def test_whom_the_server_refuses_is_counted_and_can_be_tried_again(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    with Mailbox(on_recipient=lambda address: "550 no such user" if "p1@" in address else None) as box:
        tally = sent(box, journal)
        assert (tally.sent, dict(tally.refused)) == (5, {"550": 1})
        assert journal.is_done
        assert Journal(tmp_path).unreached == {"p1"}
        assert sent(box, journal).sent == 0
    with Mailbox() as box:
        journal.again()
        assert sent(box, journal, addresses={**ADDRESSES, "p1": "p1-new@acme.example"}).sent == 1
        assert box.addresses == ["p1-new@acme.example"]
    assert Journal(tmp_path).unreached == set()


def test_what_is_put_off_is_sent_the_next_time_and_nothing_else(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    with Mailbox(on_message=lambda message: "451 greylisted" if "p2@" in message["To"] else None) as box:
        assert (sent(box, journal).deferred, len(box.messages)) == (1, 5)
    assert not journal.is_done
    with Mailbox() as box:
        assert sent(box, Journal(tmp_path)).sent == 1
        assert box.addresses == ["p2@acme.example"]


@pytest.mark.parametrize("address", ["no address", "a@b\r\nBcc: all@acme.example", "", "@"])
def test_an_address_that_is_none_reaches_no_server(tmp_path: Path, address: str) -> None:
    with Mailbox() as box:
        tally = sent(box, begun(tmp_path), addresses={**ADDRESSES, "p0": address})
    assert (tally.sent, tally.refused.total()) == (5, 1)
    assert len(box.messages) == 5


def test_without_an_address_one_is_counted(tmp_path: Path) -> None:
    with Mailbox() as box:
        tally = sent(box, journal := begun(tmp_path), addresses={"p3": "p3@acme.example"})
    assert (tally.sent, tally.without_address) == (1, 5)
    assert journal.unreached == set(PEOPLE) - {"p3"}


def test_a_server_that_hangs_up_after_each_mail_is_called_again(tmp_path: Path) -> None:
    seen: list[str] = []

    def hang_up(message: EmailMessage) -> str | None:
        is_first_try = str(message["Message-ID"]) not in seen
        seen.append(str(message["Message-ID"]))
        return "421 too many mails" if is_first_try else None

    with Mailbox(on_message=hang_up) as box:
        assert sent(box, begun(tmp_path)).sent == 6
    assert sorted(box.addresses) == sorted(ADDRESSES.values())


def test_one_that_always_does_ends_the_round_for_now(tmp_path: Path) -> None:
    journal = begun(tmp_path)
    with Mailbox(on_message=lambda _: "421 go away") as box, pytest.raises(MailError, match="Try again"):
        sent(box, journal)
    with Mailbox() as box:
        assert sent(box, Journal(tmp_path)).sent == 6


def test_cut_short_anywhere_nobody_is_written_to_twice(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    for after in range(1, 7):
        folder = tmp_path / str(after)

        def die(tally: Tally, after: int = after) -> None:
            if tally.sent == after:
                raise Killed

        with Mailbox() as box:
            journal = begun(folder)
            with pytest.raises(Killed):
                deliver(journal, links(), ADDRESSES, words, server(box), SENDER, die)
            with (folder / "delivery.jsonl").open("a") as file:
                file.write('{"reach')  # a line that was being written
            assert sent(box, Journal(folder)).sent == 6 - after
        assert sorted(box.addresses) == sorted(ADDRESSES.values())


def test_a_reminder_goes_to_who_has_not_answered_and_leaves_no_trace_of_who_had(tmp_path: Path) -> None:
    journal = begun(tmp_path, number=1)
    with Mailbox() as box:
        assert sent(box, journal, used=("p0", "p4")).sent == 4
        assert {"p0@acme.example", "p4@acme.example"}.isdisjoint(box.addresses)
    left = (tmp_path / "delivery.jsonl").read_text()
    assert not [person for person in PEOPLE if person in left]


def test_letters_of_one_round_and_person_have_one_id_and_another_in_the_next(tmp_path: Path) -> None:
    ids: dict[str, set[str]] = {}
    for folder, number in (("a", 0), ("b", 0), ("c", 1)):
        with Mailbox() as box:
            sent(box, begun(tmp_path / folder, number))
        ids[folder] = {str(message["Message-ID"]) for message in box.messages}
    assert ids["a"] == ids["b"]
    assert ids["a"].isdisjoint(ids["c"])


def test_the_journal_is_its_owners_alone_and_one_process_holds_it(tmp_path: Path) -> None:
    begun(tmp_path)
    assert stat.S_IMODE((tmp_path / "delivery.jsonl").stat().st_mode) == 0o600
    with held(tmp_path) as journal:
        assert journal.pending == set(PEOPLE)
        with pytest.raises(Busy), held(tmp_path):
            pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.acme.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # all of it is over TLS
@pytest.mark.parametrize("is_implicit", [False, True])
def test_over_tls_with_a_password(tmp_path: Path, certificate: Path, is_implicit: bool) -> None:
    tls: Literal["implicit", "starttls"] = "implicit" if is_implicit else "starttls"
    with Mailbox(login=("cairn", "pass-word"), certificate=certificate, is_implicit=is_implicit) as box:

        def send(ca_file: Path | None, password: str) -> Tally:
            to = Server("127.0.0.1", box.port, tls, ca_file, "cairn", password)
            return deliver(begun(tmp_path), links(), ADDRESSES, words, to, SENDER)

        assert send(certificate, "pass-word").sent == 6
        for ca_file, password, said in (
            (None, "pass-word", "certificate"),
            (certificate, "another-word", r"does not take user and password \(535\)"),
        ):
            with pytest.raises(MailError, match=said) as caught:
                send(ca_file, password)
            assert "-word" not in str(caught.value)
        assert len(box.messages) == 6


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda _box: Server("127.0.0.1", 9, "none"), "cannot be reached: Connection refused. Correct"),
        (lambda box: Server("127.0.0.1", box.port, "starttls"), "STARTTLS extension not supported"),
        (
            lambda box: Server("127.0.0.1", box.port, "none", None, "me", "pass-word"),
            "AUTH extension not supp",
        ),
    ],
)
def test_a_server_that_cannot_be_used_is_said_in_a_line(
    tmp_path: Path, prepare: Callable[[Mailbox], Server], said: str
) -> None:
    with Mailbox() as box:
        journal = begun(tmp_path)
        with pytest.raises(MailError, match=said):
            deliver(journal, links(), ADDRESSES, words, prepare(box), SENDER)
        assert journal.pending == set(PEOPLE)
        assert not box.messages


FACTS = Facts(
    "Acme $5 {x}",
    {"en": "Two minutes", "de": "Zwei\nMinuten"},
    2,
    datetime(2026, 6, 1, 22, tzinfo=UTC),
    "Europe/Berlin",
    7,
    12,
)


@pytest.mark.parametrize("languages", [("en",), ("de",), ("en", "de"), ("fr",)])
def test_mails_say_when_it_ends_and_from_how_many_on_anything_is_shown(languages: tuple[str, ...]) -> None:
    for kind in ("invitation", "reminder"):
        said = messages.mail(kind, FACTS, languages, "https://cairn.acme.example/pulse/x")
        assert said.text.count("https://cairn.acme.example/pulse/x") == len(languages)
        assert "2026" in said.text
        assert "Acme $5 {x}" in said.text
        assert "\n" not in said.subject
        if kind == "invitation":
            assert "7" in said.text
            assert "12" in said.text
    channel = messages.announcement(FACTS, languages)
    assert "https://" not in channel
    assert "/pulse" not in channel
