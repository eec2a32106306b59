"""`cairn survey`: waves of a survey, from the first invitation to the released results."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from cairn.formats import Format
from cairn.opening import opened

if TYPE_CHECKING:
    from cairn.survey_sending import Sending
    from cairn.workplace import Workplace
    from surveys.released import Released
    from surveys.store import Store

app = typer.Typer(help="Waves of surveys, from invitation to results.", no_args_is_help=True)
console = Console(stderr=True, highlight=False)

WaveArgument = Annotated[str, typer.Argument(metavar="WAVE", help="Name of the wave, as in 2026-autumn.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
AnnounceOption = Annotated[
    bool | None, typer.Option("--announce/--no-announce", help="Whether to tell the Slack channel.")
]
LinksOption = Annotated[
    Path | None,
    typer.Option("--links", metavar="FILE", help="Write a CSV file of links instead of sending mail."),
]


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def _day(text: str) -> date:
    return date.fromisoformat(text)


@app.command()
def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder for your own questionnaires.")] = Path("instruments"),
) -> None:
    """Make the store, and a questionnaire of your own to begin with."""
    from surveys.instrument_files import SHIPPED

    with _store(ctx):
        target = folder / "our-pulse.yaml"
        if target.exists():
            console.print(f"{target} is there already and stays as it is.", markup=False)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            text = (SHIPPED / "pulse.yaml").read_text("utf-8")
            target.write_text(text.replace("id: pulse\n", "id: our-pulse\n", 1), "utf-8")
            console.print(f"Wrote {target}: change it as you like.", markup=False)
    console.print(
        f"Add `surveys: {{instruments: {folder}}}` to the workspace file, then:\n"
        "  cairn survey open 2026-autumn --instrument our-pulse",
        markup=False,
    )


@app.command("open")
def open_(
    ctx: typer.Context,
    wave: WaveArgument,
    instrument: Annotated[str, typer.Option(help="Id of the questionnaire.")] = "pulse",
    until: Annotated[
        date | None,
        typer.Option(parser=_day, metavar="YYYY-MM-DD", help="Last day; by `surveys.open_for` unless given."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would be asked.")] = False,
) -> None:
    """Freeze who is asked, and begin to take answers."""
    from pipelines import survey_waves
    from surveys.waves import check

    with _store(ctx) as (place, store):
        now = utc_now()
        closes_at = survey_waves.end_of(until, ZoneInfo(place.workspace.timezone)) if until else None
        if closes_at and closes_at <= now:
            raise typer.BadParameter(f"{until} is over", param_hint="--until")
        new = survey_waves.new_wave(place.workspace, store, wave, instrument, now, closes_at)
        try:
            check(new)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="WAVE") from error
        if wave in {each.id for each in store.waves()}:
            raise _Failed(f"There is a wave {wave} already: choose another name.")
        turn = survey_waves.choose(place.home, place.workspace, store, wave, now)
        if not dry_run:
            store.open_wave(new, turn.invitees)
    teams = len({each.team_path for each in turn.invitees})
    would = "would be " if dry_run else ""
    console.print(
        f"{len(turn.invitees):,} people of {teams:,} team(s) {would}asked; {turn.resting:,} rest, for"
        f" they were asked not long ago; {turn.waiting:,} are in teams whose turn comes later."
    )
    if not dry_run:
        console.print(
            f"Open until {_local(new.closes_at, place)}. Next: cairn survey invite {wave}", markup=False
        )


@app.command()
def invite(
    ctx: typer.Context,
    wave: WaveArgument,
    links: LinksOption = None,
    announce: AnnounceOption = None,
) -> None:
    """Send everybody their link; again, those whom it did not reach."""
    _send(ctx, wave, links, announce, is_reminder=False)


@app.command()
def remind(
    ctx: typer.Context,
    wave: WaveArgument,
    links: LinksOption = None,
    announce: AnnounceOption = None,
) -> None:
    """Send the same link again to those who have not answered."""
    _send(ctx, wave, links, announce, is_reminder=True)


@app.command()
def status(
    ctx: typer.Context,
    wave: Annotated[str | None, typer.Argument(metavar="WAVE", help="One wave, by team.")] = None,
    output: FormatOption = Format.table,
) -> None:
    """Say how far waves are; of one, how teams respond, as far as there are enough of them invited."""
    from cairn.rows import print_rows
    from pipelines.survey_waves import groups

    with _store(ctx) as (place, store):
        if wave is None:
            rows = [
                {
                    "wave": each.id,
                    "instrument": each.instrument_id,
                    "state": each.state,
                    "opens": _local(each.opens_at, place),
                    "closes": _local(each.closes_at, place),
                    "invited": each.invited,
                    "answered": each.answered,
                }
                for each in store.waves()
            ]
        else:
            one = store.wave(wave)
            console.print(
                f"{one.id}: {one.state}, {one.answered:,} of {one.invited:,} have answered. Teams and groups"
                f" of which at least {one.minimum_group} were invited:",
                markup=False,
            )
            rows = [each._asdict() for each in groups(store.response(wave), one.minimum_group)]
    print_rows(rows, output, empty="None.")


@app.command()
def close(
    ctx: typer.Context,
    wave: WaveArgument,
    without_names: Annotated[
        bool,
        typer.Option("--without-names", help="Release comments though the roster's names cannot be read."),
    ] = False,
) -> None:
    """Open the sealed answers, audit what is to be shown, release it, and destroy the keys."""
    from pipelines.survey_roster import contacts
    from surveys import releasing
    from surveys.disclosure import Breach

    with _store(ctx) as (place, store):
        store.wave(wave)
        names: set[str] = set()
        if not without_names:
            known = contacts(place.home, place.workspace).values()
            names = {name for each in known for name in (*each.names, each.address or "") if name}
            if not names:
                raise _Failed(
                    "The roster knows no names, so comments cannot be stripped of them. Set `surveys.roster`"
                    " to a source that does; or, if that is all right, add --without-names."
                )
        with console.status("Closing") as spinner:
            try:
                for step in releasing.close(store, wave, names, spinner.update):
                    spinner.update(step)
            except Breach as error:
                raise _Failed(f"Nothing is released, for it would tell too much: {error}") from error
        one = store.wave(wave)
    console.print(
        f"Closed and released: {one.answered:,} of {one.invited:,} answered. `cairn survey results {wave}`"
        " shows it; the next `cairn sync` publishes it to the pages.",
        markup=False,
    )


@app.command()
def results(ctx: typer.Context, wave: WaveArgument, output: FormatOption = Format.table) -> None:
    """Print what was released of a wave: every figure of every group."""
    from cairn.rows import print_rows
    from cairn.survey_results import long_rows

    with _released(ctx, wave) as released:
        print_rows(long_rows(released), output, empty="Nothing can be shown: too few have answered.")


@app.command()
def export(
    ctx: typer.Context,
    wave: WaveArgument,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where to.")] = Path(),
) -> None:
    """Write what was released as CSV for a spreadsheet: a row a group, a column a question; and comments."""
    from cairn.rows import write_csv
    from cairn.survey_results import comment_rows, wide_rows

    with _released(ctx, wave) as released:
        to.mkdir(parents=True, exist_ok=True)
        for name, rows in (("results", wide_rows(released)), ("comments", comment_rows(released))):
            text = io.StringIO(newline="")
            write_csv(rows, text)
            path = to / f"{wave}-{name}.csv"
            path.write_text(text.getvalue(), "utf-8-sig")
            console.print(f"Wrote {path}: {len(rows):,} row(s).", markup=False)


@app.command()
def act(
    ctx: typer.Context,
    wave: WaveArgument,
    theme: Annotated[str, typer.Option(help="Construct or theme that it answers, as in feedback_loops.")],
    said: Annotated[str, typer.Option(help="What people said, in your words.")],
    did: Annotated[str, typer.Option(help="What you did about it, or why not.")],
    state: Annotated[str, typer.Option(help="planned, started, done or declined.")] = "done",
    url: Annotated[str | None, typer.Option(help="Where more of it is.")] = None,
) -> None:
    """Keep what was done about what a wave said: it is shown to those who answer next."""
    from typing import get_args

    from surveys.store import NewAction
    from surveys.store.records import ActionStatus

    known: tuple[ActionStatus, ...] = get_args(ActionStatus)
    chosen = next((each for each in known if each == state), None)
    if chosen is None:
        raise typer.BadParameter(f"{state} is none of {', '.join(known)}", param_hint="--state")
    with _store(ctx) as (place, store):
        today = datetime.now(ZoneInfo(place.workspace.timezone)).date()
        number = store.add_action(NewAction(wave, theme, said, did, chosen, today, url))
    console.print(f"Kept as action {number}. The next `cairn sync` publishes it.", markup=False)


@app.command()
def purge(
    ctx: typer.Context,
    wave: WaveArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do it.")] = False,
) -> None:
    """Delete who was asked and what was answered, for good; what was released stays."""
    with _store(ctx) as (place, store):
        one = store.wave(wave)
        weeks = place.workspace.surveys.rotation_weeks
        if (utc_now() - one.opens_at).days < 7 * weeks:
            raise _Failed(
                f"{wave} opened less than {weeks} weeks ago: without it, its people would be asked again too"
                " soon. Wait."
            )
        if not yes:
            raise _Failed(
                f"This deletes the {one.invited:,} invitations and {one.answered:,} answers of {wave}, and no"
                " later wave can be compared with it. Add --yes to do it."
            )
        store.purge(wave)
    console.print(f"Deleted: of {wave} there is left what was released.", markup=False)


class _Failed(Exception):
    """Something that cannot be done, in words for whoever asked for it."""


def _send(
    ctx: typer.Context, wave_id: str, links: Path | None, announce: bool | None, *, is_reminder: bool
) -> None:
    from cairn.survey_sending import Sending
    from pipelines.survey_roster import contacts

    with _store(ctx) as (place, store):
        settings = place.workspace.surveys
        if links is None and settings.smtp is None:
            raise _Failed("Set `surveys.smtp` to send mails, or have the links written with --links FILE.")
        wave = store.wave(wave_id)
        if wave.state not in {"collecting", "grace"}:
            raise _Failed(f"{wave_id} takes no answers: it is {wave.state}.")
        sending = Sending(place.home, place.workspace, store, wave, contacts(place.home, place.workspace))
        code = _sent(sending, links, announce, is_reminder=is_reminder)
    raise typer.Exit(code)


def _sent(sending: Sending, links: Path | None, announce: bool | None, *, is_reminder: bool) -> int:
    from cairn.survey_sending import report
    from surveys.delivery.journal import held

    if links is not None:
        count = sending.write_links(links)
        console.print(f"Wrote {count:,} link(s) to {links}, each for its owner alone.", markup=False)
        code, is_new = 0, announce is True
    else:
        with held(sending.home.survey_keys / sending.wave.id) as journal:
            is_new = sending.begin(journal, is_reminder=is_reminder)
            code = report(sending.mail(journal, console), console)
    if sending.workspace.surveys.slack_webhook and (announce or (is_new and announce is None)):
        sending.announce()
        console.print("The Slack channel was told.")
    return code


@contextmanager
def _store(ctx: typer.Context) -> Iterator[tuple[Workplace, Store]]:
    """The workspace and its survey store; what goes wrong ends the command with exit code 1."""

    from cairn.survey_sending import SendingError
    from connectors.connector import SourceError
    from pipelines.survey_waves import WaveError
    from pipelines.surveys import open_store
    from pipelines.warehouse import WarehouseError
    from surveys.delivery.journal import Busy
    from surveys.delivery.mail import MailError
    from surveys.errors import StoreError
    from surveys.instrument_files import InstrumentError
    from surveys.roster import RosterError

    known = (
        *(_Failed, SendingError, WaveError, WarehouseError, Busy, MailError, StoreError),
        *(InstrumentError, RosterError, SourceError),
    )
    with opened(ctx.obj, console) as place:
        try:
            with open_store(place.home, place.workspace) as store:
                yield place, store
        except known as error:
            mend = f" {error.mend}" if isinstance(error, SourceError) else ""
            console.print(f"{error}{mend}", style="red", markup=False, soft_wrap=True)
            raise typer.Exit(1) from error


@contextmanager
def _released(ctx: typer.Context, wave: str) -> Iterator[Released]:
    from surveys.released import released

    with _store(ctx) as (_, store):
        store.wave(wave)
        found = next((each for each in released(store) if each.wave.id == wave), None)
        if found is None:
            raise _Failed(
                f"Nothing of {wave} is released: `cairn survey close {wave}` does, once it is over."
            )
        yield found


def _local(at: datetime, place: Workplace) -> str:
    return f"{at.astimezone(ZoneInfo(place.workspace.timezone)):%Y-%m-%d %H:%M}"
