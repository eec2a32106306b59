"""A mail server on loopback that keeps what it gets, and refuses, puts off and hangs up as it is told."""

# ruff: noqa: ARG002, N802 - handlers are called by these names, with all of it

from __future__ import annotations

import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

Answer = str | None
"""What the server says; None where it agrees."""


class Mailbox(Controller):
    """Serves while it is a context; `messages` are those it took, in their order."""

    def __init__(
        self,
        *,
        on_recipient: Callable[[str], Answer] = lambda _address: None,
        on_message: Callable[[EmailMessage], Answer] = lambda _message: None,
        login: tuple[str, str] | None = None,
        certificate: Path | None = None,
        is_implicit: bool = False,
    ) -> None:
        self.messages: list[EmailMessage] = []
        self.connections = 0
        self._on_recipient = on_recipient
        self._on_message = on_message
        self._login = login
        tls = None
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
        settings: dict[str, Any] = {"ssl_context": tls} if is_implicit else {}
        if tls and not is_implicit:
            settings |= {"tls_context": tls, "require_starttls": True}
        if login:
            settings |= {
                "authenticator": self._authenticated,
                "auth_required": True,
                "auth_require_tls": not is_implicit,
            }
        super().__init__(self, hostname="127.0.0.1", port=0, **settings)

    def __enter__(self) -> Mailbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _trigger_server(self) -> None:
        # With port 0 the controller would connect to that.
        opened: Any = self.server
        self.port = opened.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]

    @property
    def addresses(self) -> list[str]:
        return [str(message["To"]) for message in self.messages]

    def _authenticated(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        assert self._login
        given = data.login.decode(), data.password.decode()
        return AuthResult(success=given == self._login, handled=False)

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refused := self._on_recipient(address):
            return refused
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = BytesParser(EmailMessage, policy=default).parsebytes(envelope.content)
        if refused := self._on_message(message):
            return refused
        self.messages.append(message)
        return "250 OK"
