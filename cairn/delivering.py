"""Takes what is in the outbox to its channels, and notes each that has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parseaddr

from cairn.channels import mail_server, tell_slack
from cairn.outbox import Message, Outbox
from connectors.http import HttpError
from pipelines.message_settings import ToldConfig
from pipelines.workspace import Workspace
from surveys.delivery.mail import Fate, Letter, MailError, send

STALE = timedelta(days=7)
"""Age from which a message is no longer worth sending."""
_SLACK = "slack"


def channels(told: ToldConfig) -> dict[str, str]:
    """Name → mail address; a name tells no address. The channel of Slack has an empty one."""
    mails = {hashlib.sha256(address.encode()).hexdigest()[:16]: address for address in told.to}
    return mails | ({_SLACK: ""} if told.slack_webhook else {})


def deliver(outbox: Outbox, workspace: Workspace, now: datetime, say: Callable[[str], None]) -> bool:
    """Send what waits; whether all of it arrived. What did not, and why, is said, a line each."""
    problems = [
        problem for message in [*outbox.messages] for problem in _problems(outbox, message, workspace, now)
    ]
    outbox.save()
    for problem in problems:
        say(problem)
    return not problems


def _problems(outbox: Outbox, message: Message, workspace: Workspace, now: datetime) -> list[str]:
    """Send one message; what went wrong."""
    told = workspace.digest if message.kind == "digest" else workspace.alerts
    known = channels(told) if told else {}
    message.waiting = [name for name in message.waiting if name in known]
    problems = []
    if _SLACK in message.waiting and told and told.slack_webhook:
        try:
            tell_slack(told.slack_webhook, message.text)
            message.waiting.remove(_SLACK)
            outbox.save()
        except HttpError as error:
            problems.append(f"Slack: {error} {error.mend}")
    problems += _mail(outbox, message, workspace, known)
    if message.waiting and now - message.made_at > STALE:
        problems.append(f"Given up after {STALE.days} days: {message.subject}")
        message.waiting = []
    return problems


def _mail(outbox: Outbox, message: Message, workspace: Workspace, known: dict[str, str]) -> list[str]:
    smtp, sender = workspace.surveys.smtp, workspace.surveys.from_address
    if smtp is None or sender is None:
        return []
    letters = [_letter(message, name, known[name], sender) for name in message.waiting if name != _SLACK]
    problems = []
    try:
        for letter, fate, code in send(mail_server(smtp), sender, letters):
            if fate is Fate.deferred:
                problems.append(f"The mail server puts {letter.address} off ({code}): it is tried again.")
                continue
            if fate is Fate.refused:
                problems.append(f"The mail server refuses {letter.address} ({code}): correct the address.")
            message.waiting.remove(letter.person)
            outbox.save()
    except MailError as error:
        problems.append(str(error))
    return problems


def _letter(message: Message, name: str, address: str, sender: str) -> Letter:
    digest = hashlib.sha256(f"{message.id} {name}".encode()).hexdigest()[:32]
    return Letter(
        person=name,
        address=parseaddr(address)[1],
        message_id=f"<{digest}@{sender.rpartition('@')[2].strip('> ')}>",
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachment=(message.file_name, message.pdf) if message.file_name and message.pdf else None,
    )
