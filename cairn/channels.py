"""The ways messages leave: a mail server, and a channel of Slack."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.http import Client
from pipelines.survey_settings import SmtpConfig
from surveys.delivery.mail import Server


def mail_server(smtp: SmtpConfig) -> Server:
    """The server that the settings name."""
    password = smtp.password.get_secret_value() if smtp.password else None
    ca_file = Path(smtp.ca_file) if smtp.ca_file else None
    return Server(smtp.host, smtp.port, smtp.tls, ca_file, smtp.user, password)


def tell_slack(webhook: SecretStr, text: str) -> None:
    """Post plain text to the webhook's channel; raises `HttpError`, without the address.

    Slack knows no exactly-once: where its answer is lost, the text is posted again.
    """
    address = webhook.get_secret_value()
    parts = urlsplit(address)
    with Client(f"{parts.scheme}://{parts.netloc}", secrets=(parts.path, address), retries=2) as client:
        client.tell(parts.path, {"text": _unlinked(text)}, stream="slack")


def _unlinked(text: str) -> str:
    """Slack's own escapes, so that no name becomes a link or a call to everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
