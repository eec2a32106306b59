"""`cairn digest` and `cairn alerts`: what is told without being asked for, each thing once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cairn import delivering, outbox
from cairn.outbox import Message, Outbox
from cairn.report import made
from pipelines import warehouse
from pipelines.home import Home
from pipelines.message_settings import AlertsConfig, DigestConfig
from pipelines.warehouse import Snapshot
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from dashboards.alerts import Standing
    from dashboards.report.content import Report
    from dashboards.report.period import Period

PATIENCE = timedelta(days=7)
"""How long after its end a digest waits for what its period still lacks."""

Say = Callable[[str], None]


class MessageError(Exception):
    """There is nothing to tell from, or nobody to tell; `str()` says what to do."""


def digest(home: Home, workspace: Workspace, now: datetime, say: Say, *, is_dry: bool = False) -> bool:
    """Send the digest of the last period that is over, if it was not yet; whether all have what they are to.

    Raises `MessageError`, `OutboxError` and `WarehouseError`.
    """
    snapshot = _snapshot(home)
    period = _period(snapshot, workspace.digest or DigestConfig())
    if is_dry:
        say(_texts(made(home, snapshot, period, now), workspace)[0])
        return True
    if workspace.digest is None:
        raise MessageError("The workspace has no `digest`: docs/reports.md says how to add one.")
    with outbox.opened(home) as box:
        if period.name in box.digests:
            say(f"The digest of {period.label} was sent before.")
        else:
            report = made(home, snapshot, period, now)
            if not report.is_complete and now.date() < period.until + PATIENCE:
                say(f"{period.label} is not read to its end yet: its digest waits.")
            else:
                say(f"The digest of {period.label} goes out.")
                box.messages.append(_digest(report, workspace, workspace.digest, now))
                box.digests.append(period.name)
                box.save()
        return delivering.deliver(box, workspace, now, say)


def alerts(home: Home, workspace: Workspace, now: datetime, say: Say, *, is_dry: bool = False) -> bool:
    """Tell what began and what ended since it was last told; whether all have what they are to.

    Raises `MessageError`, `OutboxError` and `WarehouseError`.
    """
    from dashboards.alerts import standing

    settings, snapshot = workspace.alerts or AlertsConfig(), _snapshot(home)
    if is_dry:
        found = standing(snapshot, workspace.goals, settings.changes, outbox.read(home).alerts)
        for line in [*(alert.says for alert in (*found.begun, *found.ended)), *found.unknown]:
            say(line)
        return True
    if workspace.alerts is None:
        raise MessageError("The workspace has no `alerts`: docs/reports.md says how to add them.")
    with outbox.opened(home) as box:
        found = standing(snapshot, workspace.goals, settings.changes, box.alerts)
        for line in found.unknown:
            say(line)
        _note(box, workspace, settings, found, now)
        box.save()
        return delivering.deliver(box, workspace, now, say)


def is_due(home: Home) -> bool:
    """Whether there may be anything to send: a snapshot not looked at yet, or a message that waits."""
    box = outbox.read(home)
    return bool(box.messages) or box.snapshot != warehouse.current_id(home)


def send(home: Home, workspace: Workspace, now: datetime, say: Say) -> bool:
    """Digest and alerts, those that the workspace asks for; raises as these do."""
    snapshot_id = _snapshot(home).id
    is_all_sent = True
    for function, settings in ((digest, workspace.digest), (alerts, workspace.alerts)):
        if settings:
            is_all_sent &= function(home, workspace, now, say)
    with outbox.opened(home) as box:
        box.snapshot = snapshot_id
        box.save()
    return is_all_sent


def _snapshot(home: Home) -> Snapshot:
    snapshot = warehouse.published(home)
    if snapshot is None:
        raise MessageError("Nothing is published yet: run `cairn sync` first.")
    return snapshot


def _period(snapshot: Snapshot, settings: DigestConfig) -> Period:
    from dashboards import queries
    from dashboards.report.period import latest

    covered = queries.covered_on(snapshot)
    if covered is None:
        raise MessageError("Nothing was read yet: `cairn doctor` says why.")
    return latest(covered, settings.every)


def _texts(report: Report, workspace: Workspace) -> tuple[str, str]:
    """Text and HTML, with a link to the report's page where people can reach it."""
    from dashboards.report import rendering

    grain, label = report.period.grain, report.period.label
    asked = urlencode({"report-by": grain.capitalize(), f"report-{grain}": label})
    public = _public_url(workspace)
    return rendering.digest(report, f"{public}/report?{asked}" if public else None)


def _public_url(workspace: Workspace) -> str | None:
    return workspace.sign_in.public_url if workspace.sign_in else workspace.surveys.public_url


def _digest(report: Report, workspace: Workspace, settings: DigestConfig, now: datetime) -> Message:
    from dashboards.report import rendering

    text, html = _texts(report, workspace)
    return Message(
        kind="digest",
        id=f"digest {report.organisation} {report.period.name}",
        made_at=now,
        subject=_subject(report.organisation, report.title, is_demo=report.is_demo),
        text=text,
        html=html,
        file_name=rendering.file_name(report, "pdf"),
        pdf=rendering.pdf(report),
        waiting=[*delivering.channels(settings)],
    )


def _note(box: Outbox, workspace: Workspace, settings: AlertsConfig, found: Standing, now: datetime) -> None:
    """Put what is new into the outbox, and what was told into its memory; the rest comes another day."""
    today = now.astimezone(ZoneInfo(workspace.timezone)).date()
    room = settings.most_per_day - (box.said if box.day == today else 0)
    begun = found.begun[:room]
    ended = found.ended[: room - len(begun)]
    box.alerts |= {alert.id: alert.says for alert in begun}
    over = found.forgotten | {alert.id for alert in ended}
    box.alerts = {name: says for name, says in box.alerts.items() if name not in over}
    if not begun and not ended:
        return
    box.day, box.said = today, settings.most_per_day - room + len(begun) + len(ended)
    lines = [alert.says for alert in (*begun, *ended)]
    box.messages.append(
        Message(
            kind="alerts",
            id=f"alerts {now.isoformat()} {lines}",
            made_at=now,
            subject=_subject(workspace.organisation, lines[0].partition(" (")[0], is_demo=workspace.demo),
            text="\n\n".join([*lines, *([url] if (url := _public_url(workspace)) else [])]) + "\n",
            waiting=[*delivering.channels(settings)],
        )
    )


def _subject(organisation: str, what: str, *, is_demo: bool) -> str:
    return f"{'[Demo] ' if is_demo else ''}{organisation}: {what}"
