"""`cairn init` at a real terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

TOKEN = "t0k3n-never-shown"
_PATIENCE_SECONDS = 15
# The terminal becomes the session's own, so that Ctrl-C and getpass reach it as they would a person's.
DRIVER = """
import os, sys
os.open(os.ttyname(0), os.O_RDWR)
from pathlib import Path
from rich.console import Console
from cairn import init
try:
    code = init.run(Path.cwd(), Console(highlight=False), force="--force" in sys.argv)
except KeyboardInterrupt:
    code = -1
sys.exit(code)
"""


class Terminal:
    """`cairn init` in a folder, and who sits before it."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.screen = ""
        self._read_to = 0
        self._master, slave = os.openpty()
        inherited = {n: v for n, v in os.environ.items() if n not in init_names() and n != "TZ"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**inherited, "COLUMNS": "250", "TERM": "dumb", **environ},
        )
        self._slave = slave

    def sees(self, *words: str) -> None:
        """Wait until the screen shows each of `words`, after what was seen before."""
        for word in words:
            until = time.monotonic() + _PATIENCE_SECONDS
            while (at := self.screen.find(word, self._read_to)) < 0:
                may_come = self._look() and time.monotonic() < until
                assert may_come, f"no {word!r} in:\n{self.screen}"
            self._read_to = at + len(word)

    def answers(self, *pairs: tuple[str, str]) -> None:
        """To each prompt its answer."""
        for prompt, answer in pairs:
            self.sees(prompt)
            if "not shown" in prompt:
                self._wait_for_silence()
            os.write(self._master, f"{answer}\n".encode())

    def _wait_for_silence(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while termios.tcgetattr(self._slave)[3] & termios.ECHO:
            assert time.monotonic() < until, "what is typed would be shown"
            time.sleep(0.01)

    def interrupts(self) -> None:
        """Press Ctrl-C, again where Python was just about to wait for a line and did not see it."""
        for _ in range(3):
            os.write(self._master, b"\x03")
            until = time.monotonic() + 3
            while "Stopped" not in self.screen and time.monotonic() < until and self._look():
                pass
            if "Stopped" in self.screen:
                return

    def is_left(self) -> None:
        """Whatever a failed test has left behind ends."""
        self._process.kill()
        self._process.wait()

    def ends(self) -> int:
        while self._look():
            pass
        code = self._process.wait(_PATIENCE_SECONDS)
        os.close(self._slave)
        os.close(self._master)
        return code

    def _look(self) -> bool:
        """Take in what is new; whether there may be more."""
        has_ended = self._process.poll() is not None
        ready, _, _ = select.select([self._master], [], [], 0 if has_ended else 0.1)
        if ready:
            self.screen += os.read(self._master, 65536).decode(errors="replace").replace("\r\n", "\n")
        return bool(ready) or not has_ended


Start = Callable[..., Terminal]


def init_names() -> set[str]:
    """Variables that `cairn init` may find set."""
    return {name for name in os.environ if re.search("TOKEN|PASSWORD|CAIRN", name)}
