"""One round of mails to the people of a wave, taken up where it stopped."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from surveys.delivery.journal import Journal
from surveys.delivery.mail import Fate, Letter, Server, send
from surveys.delivery.messages import Words
from surveys.store import Link


@dataclass
class Tally:
    """What came of a round, in numbers of people."""

    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By the server's code, those it will never take."""
    deferred: int = 0
    """The server says to try again later."""
    without_address: int = 0


def deliver(
    journal: Journal,
    links: Iterable[Link],
    addresses: Mapping[str, str],
    words: Callable[[str], Words],
    server: Server,
    sender: str,
    progress: Callable[[Tally], None] = lambda _tally: None,
) -> Tally:
    """Write to everybody whom the journal's round has still to reach; `words` makes a mail of a token.

    Each letter is in the journal as soon as the server took it: nobody is written to twice, but for the one
    whose answer from the server a kill or a lost connection swallowed; that letter has the same Message-ID
    again. Who has answered by now is left out. Raises `MailError`; what was sent until then is kept.
    """
    waiting = [link for link in links if link.person in journal.pending]
    journal.drop({link.person for link in waiting if link.is_used})
    tally = Tally()

    def letters() -> Iterator[Letter]:
        for link in waiting:
            if link.is_used:
                continue
            if (address := addresses.get(link.person)) is None:
                journal.refused(link.person)
                tally.without_address += 1
                continue
            yield Letter(
                link.person, address, _message_id(journal.round, link.token, sender), *words(link.token)
            )

    for letter, fate, code in send(server, sender, letters()):
        match fate:
            case Fate.sent:
                journal.reached(letter.person)
                tally.sent += 1
            case Fate.refused:
                journal.refused(letter.person)
                tally.refused[code] += 1
            case Fate.deferred:
                tally.deferred += 1
        progress(tally)
    journal.end()
    return tally


def _message_id(number: int | None, token: str, sender: str) -> str:
    digest = hashlib.sha256(f"message {number} {token}".encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2].strip('> ')}>"
