"""Mail over SMTP: one letter to one person at a time, and what became of each."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from enum import Enum
from pathlib import Path
from typing import Literal, NamedTuple

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """The server that mail is handed to."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class Letter(NamedTuple):
    """A mail to one person."""

    person: str
    """Keyed hash."""
    address: str
    message_id: str
    """The same whenever this letter is sent: a server that gets it twice may know."""
    subject: str
    text: str
    html: str | None = None
    """The same, for those whose mail shows it."""
    attachment: tuple[str, bytes] | None = None
    """Name and content of a PDF."""


class Fate(Enum):
    """What became of a letter."""

    sent = "sent"
    refused = "refused"
    """For good."""
    deferred = "deferred"
    """The server says to try again later."""


class MailError(Exception):
    """No mail can be sent now; `str()` is one line that says what to do, without address or secret."""


def send(server: Server, sender: str, letters: Iterable[Letter]) -> Iterator[tuple[Letter, Fate, str]]:
    """Send each letter; yields it, once the server has answered, with its fate and the server's code.

    Raises `MailError` where the server cannot be reached, lets nobody in or refuses the sender.
    """
    connection: smtplib.SMTP | None = None
    try:
        for letter in letters:
            for is_last in (False, True):
                connection = connection or _connect(server)
                try:
                    yield letter, *_sent(connection, sender, letter)
                    break
                except (smtplib.SMTPServerDisconnected, ConnectionError, TimeoutError) as error:
                    # Servers end a connection after so many mails, or while nothing is said.
                    connection.close()
                    connection = None
                    if is_last:
                        raise MailError(
                            f"{server.host} ends the connection: {_said(error)}. Try again."
                        ) from error
    finally:
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()


def _connect(server: Server) -> smtplib.SMTP:
    where = f"{server.host}:{server.port}"
    context = ssl.create_default_context()
    try:
        if server.ca_file:
            context.load_verify_locations(server.ca_file)
        connection: smtplib.SMTP
        if server.tls == "implicit":
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
    except ssl.SSLError as error:
        raise MailError(f"{where}: {_said(error)}. Correct `surveys.smtp.tls` or `ca_file`.") from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"{where} cannot be reached: {_said(error)}. Correct `surveys.smtp`.") from error
    try:
        if server.tls == "starttls":
            connection.starttls(context=context)
        if server.user and server.password is not None:
            connection.login(server.user, server.password)
    except ssl.SSLError as error:
        connection.close()
        raise MailError(f"{where}: {_said(error)}. Correct `surveys.smtp.tls` or `ca_file`.") from error
    except smtplib.SMTPNotSupportedError as error:
        connection.close()
        raise MailError(f"{where}: {_said(error)} Correct `surveys.smtp`.") from error
    except smtplib.SMTPAuthenticationError as error:
        connection.close()
        raise MailError(
            f"{where} does not take user and password ({error.smtp_code}). Correct them."
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        connection.close()
        raise MailError(f"{where} ends the connection: {_said(error)}. Try again.") from error
    return connection


def _sent(connection: smtplib.SMTP, sender: str, letter: Letter) -> tuple[Fate, str]:
    try:
        connection.send_message(_message(sender, letter))
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
    except smtplib.SMTPDataError as error:
        code = error.smtp_code
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code < 500:
            return Fate.deferred, str(error.smtp_code)
        mend = "Correct `surveys.from_address`"
        raise MailError(f"The mail server refuses the sender ({error.smtp_code}). {mend}.") from error
    except (ValueError, IndexError, HeaderParseError, smtplib.SMTPNotSupportedError):
        return Fate.refused, "no valid address"
    else:
        return Fate.sent, "250"
    if code == 421:
        raise smtplib.SMTPServerDisconnected("421")
    return (Fate.deferred if code < 500 else Fate.refused), str(code)


def _message(sender: str, letter: Letter) -> EmailMessage:
    """Raises `ValueError` for an address that is none."""
    recipient = Address(addr_spec=letter.address)
    if not (recipient.username and recipient.domain):
        raise ValueError("an address has a user and a domain")
    message = EmailMessage()
    name, address = parseaddr(sender)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = recipient
    message["Subject"] = letter.subject
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = letter.message_id
    # Nobody's absence notice is wanted: it would tell who is away.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    if letter.attachment:
        name, content = letter.attachment
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message


def _said(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())
