"""Invitations and reminders: mails by SMTP, a list of links, a word to a Slack channel."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape

from cairn import channels
from cairn.rows import write_csv
from connectors.connector import Contact
from pipelines.home import Home
from pipelines.workspace import Workspace
from surveys.delivery import messages
from surveys.delivery.journal import Journal
from surveys.delivery.messages import Facts, Words
from surveys.delivery.rounds import Tally, deliver
from surveys.instruments import Instrument
from surveys.store import Store, Wave

HERE = "http://127.0.0.1:8501"
"""Where `cairn up` serves the form, if nobody says otherwise."""


class SendingError(Exception):
    """Nothing can be sent; `str()` says what to do."""


@dataclass(frozen=True)
class Sending:
    """What is sent of one open wave, and by what means."""

    home: Home
    workspace: Workspace
    store: Store
    wave: Wave
    contacts: dict[str, Contact]

    def begin(self, journal: Journal, *, is_reminder: bool) -> bool:
        """Bring the journal to the round that is to be sent; whether that is a new one.

        Raises `SendingError` where there is nothing to send.
        """
        before = journal.round
        (self._begin_reminder if is_reminder else self._begin_invitation)(journal)
        return journal.round != before

    def _begin_invitation(self, journal: Journal) -> None:
        if journal.round is None:
            journal.begin(0, [link.person for link in self.store.links(self.wave.id)])
        elif journal.round > 0:
            raise SendingError("Reminders were sent already: `cairn survey remind` sends the next.")
        elif journal.unreached:
            journal.again()
        elif journal.is_done:
            raise SendingError("Everybody has been invited: `cairn survey remind` reminds.")

    def _begin_reminder(self, journal: Journal) -> None:
        if journal.round is None or (journal.round == 0 and journal.pending):
            raise SendingError("Not everybody has been invited: run `cairn survey invite` first.")
        if journal.pending:
            return
        if journal.round >= self.workspace.surveys.reminders:
            raise SendingError(
                f"Everybody was reminded {journal.round} time(s), which is as often as"
                " `surveys.reminders` allows."
            )
        unused = [link.person for link in self.store.links(self.wave.id) if not link.is_used]
        if not unused:
            raise SendingError("Everybody has answered: there is nobody to remind.")
        journal.begin(journal.round + 1, unused)

    def mail(self, journal: Journal, console: Console) -> Tally:
        """Send the round's mails; raises `MailError`."""
        smtp, sender = self.workspace.surveys.smtp, self.workspace.surveys.from_address
        assert smtp
        assert sender
        addresses = {person: each.address for person, each in self.contacts.items() if each.address}
        kind: Literal["reminder", "invitation"] = "reminder" if journal.round else "invitation"

        def words(token: str) -> Words:
            return messages.mail(kind, self._facts, self._languages, self._link(token))

        with console.status("Sending") as spinner:
            return deliver(
                journal,
                self.store.links(self.wave.id),
                addresses,
                words,
                channels.mail_server(smtp),
                sender,
                lambda tally: spinner.update(f"Sending: {tally.sent:,} sent"),
            )

    def write_links(self, path: Path) -> int:
        """Write the links not used yet, for their owners alone (mode 600); how many.

        Raises `SendingError` where the file exists.
        """
        teams = {each.person: each.team_path[-1] for each in self.store.invited(self.wave.id)}
        addresses = {person: each.address or "" for person, each in self.contacts.items()}
        rows = [
            {
                "team": teams[link.person],
                "address": addresses.get(link.person, ""),
                "link": self._link(link.token),
            }
            for link in self.store.links(self.wave.id)
            if not link.is_used
        ]
        rows.sort(key=lambda row: (row["team"], row["address"], row["link"]))
        text = io.StringIO(newline="")
        write_csv(rows, text)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise SendingError(f"{path} is there already: name another file, or remove it.") from None
        with os.fdopen(descriptor, "w", newline="") as file:
            file.write(text.getvalue())
        return len(rows)

    def announce(self) -> None:
        """Tell the Slack channel that the wave is open, without any link; raises `HttpError`."""
        hook = self.workspace.surveys.slack_webhook
        assert hook
        channels.tell_slack(hook, messages.announcement(self._facts, self._languages))

    @property
    def _facts(self) -> Facts:
        instrument = Instrument.model_validate_json(self.wave.instrument)
        return Facts(
            self.workspace.organisation,
            dict(instrument.title),
            instrument.minutes,
            self.wave.closes_at,
            self.workspace.timezone,
            self.wave.minimum_group,
            self.wave.comment_group,
        )

    @property
    def _languages(self) -> list[str]:
        said = self.wave.settings.get("languages")
        return [str(language) for language in said] if isinstance(said, list) else []

    def _link(self, token: str) -> str:
        return f"{self.workspace.surveys.public_url or HERE}/pulse/{token}"


def report(tally: Tally, console: Console) -> int:
    """Say what came of a round, in numbers; 1 where somebody could not be reached."""
    console.print(f"{tally.sent:,} mail(s) sent.")
    for code, count in sorted(tally.refused.items()):
        console.print(
            f"[red]{count:,} refused by the mail server ({escape(code)})[/]: correct the addresses where the"
            " roster comes from, and run this again."
        )
    if tally.without_address:
        console.print(
            f"[red]{tally.without_address:,} without an address[/]: add them where the roster comes from, and"
            " run this again; or hand links out with `--links FILE`."
        )
    if tally.deferred:
        console.print(f"[red]{tally.deferred:,} put off by the mail server[/]: run this again in a while.")
    return 1 if tally.refused or tally.without_address or tally.deferred else 0
