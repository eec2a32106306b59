"""Child processes that end with their parent, whatever ends it, and take their own children along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Self

import psutil

from cairn import guard

PATIENCE_SECONDS = 10.0
TICK_SECONDS = 0.1


class Interrupted(Exception):
    """A signal asked this process to end."""


class Interrupts:
    """Counts SIGINT, SIGTERM and SIGHUP while entered, instead of dying of them."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP on purpose; a shell's `&` ignores SIGINT by tradition only.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    def tick(self) -> None:
        """Sleep for a moment; raises `Interrupted` once a signal has come."""
        if not self.count:
            time.sleep(TICK_SECONDS)
        if self.count:
            raise Interrupted


@dataclass(frozen=True)
class Child:
    """A started process, leader of a session and so of a process group."""

    process: psutil.Popen
    log: Path | None
    started: float = field(default_factory=time.monotonic)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative where a signal ended it."""
        code: int | None = self.process.poll()
        return code

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started

    def last_lines(self, count: int = 12) -> str:
        """The end of its log."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


class Family:
    """Starts children and ends them all on leaving, the children's children included.

    A guard process beside them does the same where this one is killed outright.
    """

    def __init__(self, environ: Mapping[str, str], interrupts: Interrupts) -> None:
        self._environ = dict(environ)
        self._interrupts = interrupts
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self._guard = subprocess.Popen(
            [sys.executable, "-IS", guard.__file__], stdin=subprocess.PIPE, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.end(*self._children)
        self._guard.communicate()

    def start(self, command: Sequence[str], log: Path | None = None, niceness: int = 0) -> Child:
        """Start `command`, its output appended to `log`, or to this process's own without one."""
        output = log.open("ab") if log else None
        try:
            process = psutil.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=self._environ,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()
        self._tell_guard("+", process.pid)
        if niceness:
            with suppress(psutil.Error):
                process.nice(niceness)
        child = Child(process, log)
        self._children.append(child)
        return child

    def end(self, *children: Child) -> None:
        """Ask `children` and all below them to end; kill them after ten seconds or a second signal."""
        if not children:
            return
        tree = [process for child in children for process in _tree(child.process)]
        _signal_groups(children, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(map(_is_alive, tree)) and time.monotonic() < deadline and self._interrupts.count < 2:
            time.sleep(TICK_SECONDS / 2)
        _signal_groups(children, signal.SIGKILL)
        for process in filter(_is_alive, tree):
            with suppress(psutil.Error):
                process.kill()
        for child in children:
            child.process.wait()
            self._tell_guard("-", child.process.pid)
            self._children.remove(child)

    def _tell_guard(self, sign: str, group: int) -> None:
        assert self._guard.stdin is not None
        with suppress(BrokenPipeError):
            self._guard.stdin.write(f"{sign}{group}\n".encode())
            self._guard.stdin.flush()


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal_groups(children: Sequence[Child], number: signal.Signals) -> None:
    for child in children:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, number)
