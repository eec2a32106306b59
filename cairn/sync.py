"""`cairn sync`: the sync job in the foreground, with progress and a closing table."""

from __future__ import annotations

import gc
import logging
import warnings
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.home import Home
from pipelines.ingest import Change
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.assets import Run


def run(
    home: Home, workspace: Workspace, source: str | None, *, is_full: bool, is_verbose: bool, console: Console
) -> int:
    """Sync one source or all; 1 where something could not be read or built, else 0."""
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it complains when interrupted
    with console.status("Starting") as spinner:
        # Dagster takes a second or two to import, a tenth of it to look for garbage among what stays.
        gc.disable()
        from pipelines.assets import Run
        from pipelines.job import run_in_foreground
        from pipelines.warehouse import WarehouseError

        gc.freeze()
        gc.enable()
        sync = Run(
            home,
            workspace,
            is_full=is_full,
            retries=0,  # who watches can type it again
            progress=lambda name, stream, records: spinner.update(
                f"Reading {name}: {records:,} {stream} records"
            ),
            stage=spinner.update,
        )
        try:
            is_done = run_in_foreground(
                sync,
                source=source,
                on_wait=lambda: console.print("Another sync is running; waiting for it to end."),
                is_verbose=is_verbose,
            )
        except WarehouseError as error:
            console.print(f"[red]{escape(str(error))}", soft_wrap=True)
            return 1
    console.print(_table(sync))
    for read in sync.reads.values():
        for note in read.notes:
            console.print(f"{escape(note.scope)}: {escape(note.message)}", soft_wrap=True)
        for problem in read.problems:
            console.print(
                f"[red]{escape(problem.scope)}: {escape(problem.message)}[/] {escape(problem.mend)}",
                soft_wrap=True,
            )
        if read.error:
            console.print(
                f"[red]{escape(read.source)}: {escape(str(read.error))}[/] {escape(read.error.mend)}",
                soft_wrap=True,
            )
    for failure in sync.broken:
        console.print(f"[red]{escape(failure)}.[/] The figures are published all the same.", soft_wrap=True)
    if sync.failure:
        console.print(f"[red]{escape(sync.failure)}", soft_wrap=True)
    elif not is_done:
        console.print("[red]The sync failed.[/] `cairn sync --verbose` shows where.")
    elif sync.snapshot_id is None:
        console.print("Nothing new: the published figures stand.")
    else:
        console.print(f"Published {sync.snapshot_id}.")
    is_ok = is_done and not sync.broken and all(read.is_ok for read in sync.reads.values())
    return 0 if is_ok else 1


def _table(sync: Run) -> Table:
    table = Table("source", "stream", box=None, pad_edge=False, header_style="bold")
    for heading in ("new", "changed", "quarantined", "seconds"):
        table.add_column(heading, justify="right")
    for read in sync.reads.values():
        streams = dict.fromkeys([*read.streams, *read.quarantined])
        for stream in streams:
            change = sync.changes.get((read.source, stream), Change())
            table.add_row(
                escape(read.source),
                stream,
                f"{change.new:,}",
                f"{change.changed + change.gone:,}",
                f"{read.quarantined[stream]:,}",
                f"{read.seconds.get(stream, 0):.1f}",
            )
    return table
