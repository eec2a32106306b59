"""`cairn report`: a period on one page, as a file to hand on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from pipelines import annotating, status, warehouse
from pipelines.annotating import Annotation, AnnotationError
from pipelines.home import Home
from pipelines.warehouse import Snapshot

if TYPE_CHECKING:
    from dashboards.report.content import Figure, Report
    from dashboards.report.period import Period

STDOUT = Path("-")


class Format(StrEnum):
    """What the report is written as."""

    pdf = "pdf"
    html = "html"
    md = "md"


def run(
    home: Home, since: date | None, until: date | None, form: Format, output: Path | None, console: Console
) -> int:
    """Write the report; 2 where the days are no period, 1 where there is nothing to report on."""
    # Half a second to import.
    from dashboards import queries
    from dashboards.report import period

    try:
        snapshot = warehouse.published(home)
    except warehouse.WarehouseError as error:
        console.print(f"[red]{escape(str(error))}", soft_wrap=True)
        return 1
    covered = queries.covered_on(snapshot) if snapshot else None
    if snapshot is None or covered is None:
        console.print("Nothing is published yet: run `cairn sync` first.")
        return 1
    try:
        chosen = period.Period.between(since, until) if since else period.latest(covered, "month")
    except ValueError as error:
        console.print(f"[red]{error}", soft_wrap=True)
        return 2
    _write(made(home, snapshot, chosen, datetime.now(UTC)), form, output, console)
    return 0


def made(home: Home, snapshot: Snapshot, period: Period, now: datetime) -> Report:
    """The report of a period, with what the home knows beside the snapshot."""
    from dashboards import freshness
    from dashboards.report import content

    known: Sequence[Annotation] = ()
    with suppress(AnnotationError):  # `cairn annotate` and the page say so.
        known = annotating.read(home)
    return content.build(snapshot, period, freshness.read_until(snapshot, status.read(home)), now, known)


def _write(report: Report, form: Format, output: Path | None, console: Console) -> None:
    from dashboards.report import rendering

    target = output or Path(rendering.file_name(report, form))

    def beside(figure: Figure, svg: str) -> str:
        image = target.with_name(f"{target.stem}-{figure.metric}.svg")
        image.write_text(svg)
        return image.name

    if form is Format.pdf:
        made = rendering.pdf(report)
    elif form is Format.html:
        made = rendering.html(report).encode()
    else:
        made = rendering.markdown(report, None if output == STDOUT else beside).encode()
    if output == STDOUT:
        sys.stdout.buffer.write(made)
        return
    target.write_bytes(made)
    console.print(f"{escape(report.title)} is in {escape(str(target))}.", soft_wrap=True)
