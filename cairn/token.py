"""`cairn token`: which programs may use the API, for what, and until when."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cairn.formats import Format
from cairn.workplace import home_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from pipelines.home import Home

app = typer.Typer(help="Which programs may use the API (docs/api.md).", no_args_is_help=True)
console = Console(stderr=True, highlight=False)

NameArgument = Annotated[str, typer.Argument(help="What it is for, as in `grafana`.")]


@app.command()
def create(
    ctx: typer.Context,
    name: NameArgument,
    may: Annotated[
        str,
        typer.Option(
            metavar="WHAT,...", help="What it opens: metrics, adoption, surveys, monitoring or events."
        ),
    ],
    expires: Annotated[str, typer.Option(metavar="90d|never", help="How long it holds.")] = "90d",
) -> None:
    """Make a token; it is printed once and only its hash is kept."""
    from pipelines.credentials import May, new_token

    known = {each.value for each in May}
    wanted = {each.strip() for each in may.split(",")}
    if wrong := sorted(wanted - known):
        reason = f"{', '.join(wrong)} is nothing to open; there are {', '.join(May)}"
        raise typer.BadParameter(reason, param_hint="--may")
    until = None if expires == "never" else datetime.now(UTC) + _length(expires)
    print_made(ctx, lambda home: new_token(home, name, {*map(May, wanted)}, until))


@app.command("list")
def list_(
    ctx: typer.Context,
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.table,
) -> None:
    """Say which tokens and secrets there are, what they open, until when, and their last use."""
    from cairn.rows import print_rows
    from pipelines.credentials import CredentialError, credentials

    try:
        known = credentials(home_here(ctx.obj))
    except CredentialError as error:
        raise _failed(error) from error
    rows = [
        {
            "name": each.name,
            "kind": each.kind,
            "may": ",".join(sorted(each.may)),
            "created_on": each.created_at.date(),
            "expires_on": each.expires_at and each.expires_at.date(),
            "has_expired": each.has_expired,
            "last_used_on": each.last_used_on,
        }
        for each in known
    ]
    print_rows(rows, output, empty="None.")


@app.command()
def revoke(ctx: typer.Context, name: NameArgument) -> None:
    """Take a token or secret back, at once."""
    from pipelines.credentials import CredentialError
    from pipelines.credentials import revoke as take_back

    try:
        is_done = take_back(home_here(ctx.obj), name)
    except CredentialError as error:
        raise _failed(error) from error
    if not is_done:
        console.print(f"There is no token and no secret called {name}.", markup=False)
        raise typer.Exit(1)


def print_made(ctx: typer.Context, make: Callable[[Home], str]) -> None:
    """Make a credential and print it; exit with 1 and the reason where it can't be made."""
    from pipelines.credentials import CredentialError

    try:
        print(make(home_here(ctx.obj)))
    except CredentialError as error:
        raise _failed(error) from error


def _failed(error: Exception) -> typer.Exit:
    console.print(str(error), style="red", markup=False, soft_wrap=True)
    return typer.Exit(1)


def _length(text: str) -> timedelta:
    from pydantic import TypeAdapter, ValidationError

    from pipelines.setting_types import Duration

    with suppress(ValidationError):
        length: timedelta = TypeAdapter(Duration).validate_python(text)
        if length:
            return length
    reason = f"{text} is no length of time such as 90d, nor `never`"
    raise typer.BadParameter(reason, param_hint="--expires")
