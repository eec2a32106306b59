"""`cairn snapshot`: the published figures as a database, for other tools (docs/other-tools.md)."""

from __future__ import annotations

import typer
from rich.console import Console

from cairn.workplace import home_here

app = typer.Typer(help="The published figures as a DuckDB database.", no_args_is_help=True)


@app.callback()
def snapshot() -> None:
    """Keep `path` a command of its own: of a single one Typer would make the whole group."""


@app.command()
def path(ctx: typer.Context) -> None:
    """Print where it is: a link that always leads to what was published last, to be opened read-only."""
    link = home_here(ctx.obj).current_snapshot
    if not link.exists():
        Console(stderr=True).print("Nothing is published yet: run `cairn sync` first.")
        raise typer.Exit(1)
    print(link)
