"""`cairn init`: asks for tools and tokens, tries them, and writes cairn.yaml. A token is never shown."""

from __future__ import annotations

import getpass
import itertools
import os
import re
import secrets
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm, Prompt

import connectors
from cairn import init_questions, init_writing
from cairn.init_questions import Question
from connectors.connector import Context, Problem, SourceError
from pipelines.config_file import REFERENCE
from pipelines.workspace import DEFAULT_FILE, Name, SourceConfig, WorkspaceError

_ACCOUNT = re.compile(r"(?<=://)(?:(?P<user>[^/\s:@]*):)?(?P<secret>[^/\s:@]+)(?=@)")
_SHORTEST_HIDDEN = 4
"""A shorter text would take the words of a message apart, and is no secret."""
_HTTP = re.compile(r"https?://", re.IGNORECASE).match


def run(folder: Path, console: Console, *, force: bool = False) -> int:
    """Ask, try and write. 0 once the file is there, 1 where one was before, 2 without a terminal.

    `force` replaces the workspace file. Interrupted, it leaves everything as it was.
    """
    if not (console.is_terminal and sys.stdin.isatty()):
        console.print(
            f"This asks questions, and needs a terminal to. Write {DEFAULT_FILE} by hand instead:"
            " docs/workspace.md says how.",
            soft_wrap=True,
        )
        return 2
    if os.path.lexists(folder / DEFAULT_FILE) and not force:
        console.print(
            f"{DEFAULT_FILE} is here already. Edit it, or replace it: cairn init --force", soft_wrap=True
        )
        return 1
    try:
        return _Conversation(folder, console).run()
    except (KeyboardInterrupt, EOFError):
        console.print("\nStopped. Nothing was written.")
        return 130
    except init_writing.DotenvError as error:
        console.print(f".env {error}: mend it first.", soft_wrap=True)
        return 1
    except getpass.GetPassWarning:
        console.print("This terminal cannot hide what is typed. Nothing was written.")
        return 2


class _Conversation:
    def __init__(self, folder: Path, console: Console) -> None:
        self._folder = folder
        self._console = console
        self._secrets: dict[str, str] = {}
        """Environment variable → what was typed for it."""
        self._taken = init_writing.variables(folder) | dict(os.environ)
        self._kinds: list[str] = []

    def run(self) -> int:
        self._say(
            f"This asks for your tools, tries them, and writes {DEFAULT_FILE}. Ctrl-C changes nothing.\n"
        )
        organisation = self._organisation()
        zones = available_timezones() | {"UTC"}
        timezone = self._ask("Timezone, in which days and weeks begin", system_timezone())
        while timezone not in zones:
            self._bad("There is no such timezone. Write an IANA name such as Europe/Berlin, or UTC.")
            timezone = self._ask("Timezone", system_timezone())
        sources: list[dict[str, Any]] = []
        self._list_kinds()
        while kind := self._kind(is_first=not sources):
            if source := self._source(kind, sources):
                sources.append(source)
        content = init_writing.text(organisation, timezone, sources)
        used = {name: value for name, value in self._secrets.items() if f"${{{name}}}" in content}
        try:
            init_writing.loaded(self._folder, content, used)
        except WorkspaceError as error:
            for problem in error.problems:
                self._wrong(problem.key, problem.message, problem.mend)
            self._bad("Nothing was written.")
            return 1
        self._say("")
        for line in init_writing.write(self._folder, content, used):
            self._say(line)
        if used and init_writing.tracked_secrets(self._folder):
            self._bad(".env is under version control: take it out with `git rm --cached .env`.")
        self._say("\nNext: cairn up")
        return 0

    def _organisation(self) -> str:
        while True:
            said = self._required("Organisation")
            try:
                return TypeAdapter(Name).validate_python(said)
            except ValidationError as error:
                self._bad(f"That name: {error.errors()[0]['msg']}.")

    def _list_kinds(self) -> None:
        for kind in connectors.kinds():
            try:
                about = init_questions.about(kind)
            except Exception as error:  # noqa: BLE001 - an installed package may fail in any way
                self._bad(f"    {kind} cannot be used: {type(error).__name__}: {error}")
                continue
            self._kinds.append(kind)
            self._say(f"{len(self._kinds):>3} {kind:<12} {about}")

    def _kind(self, *, is_first: bool) -> str:
        """The kind of the next source; empty when that is all."""
        words = "Tool to read, by name or number" if is_first else "Another tool, or Enter when that is all"
        while True:
            said = self._required(words) if is_first else self._ask(words)
            if said.isdecimal() and 0 < int(said) <= len(self._kinds):
                return self._kinds[int(said) - 1]
            if not said or said in self._kinds:
                return said
            self._bad(f"There is no {said}. There are {', '.join(self._kinds)}.")

    def _source(self, kind: str, others: list[dict[str, Any]]) -> dict[str, Any] | None:
        """A source's settings as in the file; None where it is given up."""
        taken = {str(other.get("name", other["kind"])).casefold() for other in others}
        head = {"kind": kind}
        if kind in taken:
            free = next(name for number in itertools.count(2) if (name := f"{kind}-{number}") not in taken)
            head["name"] = self._ask("What to call this one", free)
        questions = init_questions.questions(kind)
        answers: dict[Question, Any] = {}
        while True:
            for question in questions:
                answers[question] = self._answer(question, head, answers.get(question))
            settings = head | _settings(answers)
            is_usable, is_fine = self._try(settings, others)
            if is_fine or not self._yes("Correct it now?", default=True):
                if not is_usable:
                    self._say(f"{kind} is left out.")
                return settings if is_usable else None

    def _answer(self, question: Question, head: Mapping[str, str], before: Any) -> Any:
        """The value for the file: of a secret the name of its variable; None for nothing."""
        if question.help:
            self._console.print(f"  {question.help}", style="dim", markup=False)
        if question.is_secret:
            return self._secret(question, head, before)
        shown = ", ".join(before) if isinstance(before, list) else str(before or "")
        words = f"{head['kind']}: {question.words}" + (", several with commas" if question.is_list else "")
        said = self._ask(words, shown or question.default)
        while not said and question.is_required:
            said = self._ask(words)
        if not said or (said == question.default and not question.is_required):
            return None
        if question.is_list:
            return [self._without_secrets(part.strip(), head) for part in said.split(",") if part.strip()]
        return self._without_secrets(said, head) if question.is_text else yaml.safe_load(said)

    def _secret(self, question: Question, head: Mapping[str, str], before: str | None) -> str | None:
        words = f"{head['kind']}: {question.words}"
        if before is None:
            name = self._variable(head, *map(str, question.location))
            if name in self._taken and self._yes(f"{name} is set already. Use it?", default=True):
                return f"${{{name}}}"
            hint = " (not shown)" if question.is_required else " (not shown; Enter for none)"
        else:
            name = before[2:-1]
            hint = " (not shown; Enter for the same)"
        said = self._hidden(words + hint)
        while not said and before is None and question.is_required:
            said = self._hidden(words + hint)
        if not said:
            return before
        if name in self._taken:
            name = self._free(name)
        self._secrets[name] = said
        return f"${{{name}}}"

    def _without_secrets(self, said: str, head: Mapping[str, str]) -> str:
        """An address with a variable in the place of its password, or of the token that stands for a user."""
        account = _ACCOUNT.search(said)
        if account is None or REFERENCE.fullmatch(account["secret"]):
            return said
        if account["user"] is None and not _HTTP(said):
            return said
        name = next((n for n, value in self._secrets.items() if value == account["secret"]), None)
        if name is None:
            name = self._free(self._variable(head, "password"))
            self._secrets[name] = account["secret"]
            self._say(f"  Its password goes to .env as {name}.")
        return f"{said[: account.start('secret')]}${{{name}}}{said[account.end('secret') :]}"

    def _variable(self, head: Mapping[str, str], *parts: str) -> str:
        words = [head.get("name", head["kind"]), *(part for part in parts if not part.isdecimal())]
        name = re.sub(r"\W+", "_", "_".join(words), flags=re.ASCII).upper()
        return f"CAIRN_{name}" if name[0].isdecimal() else name

    def _free(self, name: str) -> str:
        """A variable that holds nothing yet: neither the environment nor `.env` is ever overwritten."""
        known = self._taken.keys() | self._secrets.keys()
        number = 2
        free = name
        while free in known:
            free, number = f"{name}_{number}", number + 1
        return free

    def _try(self, settings: Mapping[str, Any], others: list[dict[str, Any]]) -> tuple[bool, bool]:
        """Whether the settings can stand in the file, and whether the tool can be read with them."""
        content = init_writing.text("-", "UTC", [*others, settings])
        try:
            source = init_writing.loaded(self._folder, content, self._secrets).sources[-1]
        except WorkspaceError as error:
            for problem in error.problems:
                key = problem.key.removeprefix(f"sources[{len(others)}].")
                self._wrong(key, problem.message, problem.mend)
            return False, False
        return True, self._check(source)

    def _check(self, source: SourceConfig) -> bool:
        """Say what the connector finds; whether it finds nothing wrong."""
        with tempfile.TemporaryDirectory() as cache:
            context = Context(Path(cache), secrets.token_bytes(32))
            connector = connectors.connector_type(source.kind)(source.name, source.options, context)
            found = []
            try:
                with self._console.status(f"Trying {escape(source.name)} …"):
                    found = list(connector.check())
            except SourceError as error:
                found = [Problem(source.name, str(error), error.mend)]
            except Exception as error:  # noqa: BLE001 - one connector's fault must not end the rest
                found = [
                    Problem(source.name, f"{type(error).__name__} in the connector", "Please report it.")
                ]
        problems = [each for each in found if isinstance(each, Problem)]
        for each in found:
            if isinstance(each, Problem):
                self._wrong(each.scope, each.message, each.mend)
            else:
                self._console.print(
                    f"[yellow]note[/] {escape(self._masked(f'{each.scope}: {each.message}'))}"
                )
        if not problems:
            self._console.print(f"[green]ok[/]   {escape(source.name)} can be read")
        return not problems

    def _required(self, words: str) -> str:
        while not (said := self._ask(words)):
            pass
        return said

    def _ask(self, words: str, default: str = "") -> str:
        said = Prompt.ask(escape(words), console=self._console, default=default, show_default=bool(default))
        return said.strip()

    def _hidden(self, words: str) -> str:
        with warnings.catch_warnings():
            # Where echo cannot be turned off, getpass would warn and show what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            said = Prompt.ask(
                escape(words), console=self._console, password=True, default="", show_default=False
            )
            return said.strip()

    def _yes(self, words: str, *, default: bool) -> bool:
        return Confirm.ask(escape(words), console=self._console, default=default)

    def _say(self, words: str) -> None:
        self._console.print(self._masked(words), markup=False, soft_wrap=True)

    def _bad(self, words: str) -> None:
        self._console.print(self._masked(words), style="red", markup=False, soft_wrap=True)

    def _wrong(self, where: str, message: str, mend: str) -> None:
        self._bad(f"{where}: {message.rstrip('.')}. {mend.rstrip('.')}.")

    def _masked(self, words: str) -> str:
        for value in sorted(self._secrets.values(), key=len, reverse=True):
            if len(value) >= _SHORTEST_HIDDEN:
                words = words.replace(value, "…")
        return words


def system_timezone() -> str:
    """IANA name of the zone this machine is in, `UTC` where it does not say."""
    named = os.environ.get("TZ", "").lstrip(":")
    name = named or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    is_known = name in available_timezones() and name != "Etc/UTC"
    return name if is_known else "UTC"


def _settings(answers: Mapping[Question, Any]) -> dict[str, Any]:
    """Answers as the groups and lists of the file."""
    settings: dict[str, Any] = {}
    for question, value in answers.items():
        if value is None:
            continue
        place: Any = settings
        for part, following in zip(question.location, question.location[1:], strict=False):
            empty: Any = [{}] if following == 0 else {}
            place = place[part] if part == 0 else place.setdefault(part, empty)
        place[question.location[-1]] = value
    return settings
