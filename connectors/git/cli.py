"""Running git: a clean environment, no prompts, no secrets in words, retries of what may pass."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import IO, NamedTuple

import stamina
from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

from connectors.connector import SourceError

MINIMUM_VERSION = (2, 33)
"""The first with `rev-list --no-commit-header`; `GIT_CONFIG_COUNT` came in 2.31."""

SHALLOW = "the repository is shallow: its older history is missing"

_CHUNK = 1 << 20

_CREDENTIAL_HELPER = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n"'
    ' "$CAIRN_GIT_USERNAME" "$CAIRN_GIT_PASSWORD"; }; f'
)

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "credential.interactive": "never",
    "fetch.fsckObjects": "false",
    "gc.autoDetach": "false",
    "maintenance.autoDetach": "false",
}


class Remote(NamedTuple):
    """What git needs to reach a repository. Its `repr` shows no secret."""

    address: str
    """Path or URL without credentials."""
    username: str = ""
    """Of an http(s) URL; as secret as the password, for tokens are put here too."""
    password: str = ""

    def __repr__(self) -> str:
        return f"Remote({self.address!r})"

    @property
    def is_local(self) -> bool:
        """The address is an absolute path."""
        return self.address.startswith("/")

    def settings(self) -> Iterator[tuple[str, str]]:
        """Configuration that names the remote `cairn`, kept off the disk and the process list."""
        yield "remote.cairn.url", self.address
        if self.is_local:
            yield "remote.cairn.uploadpack", "git -c uploadpack.allowFilter=true upload-pack"
        if self.password:
            yield "credential.helper", ""
        elif self.username:
            yield "credential.username", self.username
        if self.username or self.password:
            # For this host alone: a redirect must not carry them elsewhere.
            host = "/".join(self.address.split("/", 3)[:3])
            yield f"credential.{host}.helper", _CREDENTIAL_HELPER


class GitError(Exception):
    """A git command failed; `str()` is one line in git's words, without secrets."""

    def __init__(self, stderr: str, secrets: Sequence[str] = ()) -> None:
        for secret in secrets:
            stderr = stderr.replace(secret, "***")
        self.stderr = re.sub(r"(\w+://)[^/\s@']+@", r"\1", stderr)
        super().__init__(_one_line(self.stderr))
        self.mend, self.is_transient = next(
            ((mend, is_transient) for pattern, mend, is_transient in _CAUSES if pattern.search(self.stderr)),
            (_CORRUPT, False),
        )


def _cause(pattern: str, mend: str, is_transient: bool = False) -> tuple[re.Pattern[str], str, bool]:
    return re.compile(pattern, re.IGNORECASE), mend, is_transient


_CORRUPT = "run `git fsck` in the repository; restore it or clone it again if that reports errors"

_CAUSES = (
    # First, for a server that gives up over it also hangs up.
    _cause(r"repository corruption|is corrupt|bad object|pack-objects died", _CORRUPT),
    _cause(r"dubious ownership", "run `git config --global --add safe.directory <its path>` if you trust it"),
    _cause(
        r"repository is shallow|shallow (update|clone)",
        "run `git fetch --unshallow` in it, or name the repository it was cloned from",
    ),
    _cause(r"no space left|disk quota exceeded", "free disk space where CAIRN_HOME is"),
    _cause(r"host key verification failed", "add the host's key to known_hosts: `ssh-keyscan` shows it"),
    _cause(
        r"could not resolve|temporary failure|timed out|no answer|connection (refused|reset|closed)"
        r"|network is unreachable|no route to host|couldn't connect|failed to connect|early eof"
        r"|rpc failed|unexpected disconnect|hung up unexpectedly|returned error: (429|5\d\d)|kex_exchange"
        r"|tls connection",
        "check the host's name and the network; the next sync tries again",
        is_transient=True,
    ),
    _cause(
        r"authentication failed|terminal prompts disabled|could not read (username|password)"
        r"|returned error: 40[13]|permission denied|access denied|unauthorized",
        "give whoever runs Cairn read access: credentials in the URL, a credential helper or a key",
    ),
    _cause(
        r"not found|does not exist|does not appear to be a git repository|no such file|not a git repository",
        "correct it in `repositories`; a host says the same of a repository you may not read",
    ),
    _cause(r"ssl certificate|server certificate", "let git trust the host's certificate: `http.sslCAInfo`"),
)

_NOISE = re.compile(
    r"^(hint:|warning:|Please make sure|and the repository exists|fatal: Could not read from remote|$)"
)


def _one_line(stderr: str) -> str:
    lines = [line.strip() for line in re.split(r"[\r\n]+", stderr)]
    telling = [line for line in lines if not _NOISE.match(line)] or [line for line in lines if line]
    bare = dict.fromkeys(re.sub(r"^(remote: |fatal: |error: |ssh: )+", "", line) for line in telling)
    printable = "".join(c for c in "; ".join(bare) if c.isprintable())
    return printable[:300] or "git failed without a word"


class Git:
    """Runs git commands, from any thread; `stop` ends those under way."""

    def __init__(self) -> None:
        """Raises `SourceError` where git is missing or too old."""
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._is_stopped = False
        self._environment = _environment()
        # By default structlog, where it happens to be installed, prints retries to standard output.
        set_on_retry_hooks([LoggingOnRetryHook])

    def run(
        self,
        *arguments: str,
        directory: str | os.PathLike[str] | None = None,
        stdin: bytes = b"",
        remote: Remote | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Standard output of a command in the git directory `directory`; raises `GitError`."""
        with self._process(arguments, directory, stdin, remote) as (process, errors):
            try:
                output, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                raise GitError(f"no answer within {timeout:g} seconds") from None
            _raise_for(process, errors, remote)
        return output

    def stream(
        self, *arguments: str, directory: str | os.PathLike[str], stdin: bytes = b""
    ) -> Iterator[bytes]:
        """Standard output of a command as it comes; raises `GitError` at its end."""
        with self._process(arguments, directory, stdin, None) as (process, errors):
            assert process.stdout is not None
            while chunk := os.read(process.stdout.fileno(), _CHUNK):
                yield chunk
            process.wait()
            _raise_for(process, errors, None)

    def reach(
        self,
        *arguments: str,
        remote: Remote,
        directory: str | os.PathLike[str] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> bytes:
        """`run` for a command that uses the network: what may pass is tried three times."""
        for attempt in stamina.retry_context(
            on=lambda error: isinstance(error, GitError) and error.is_transient,
            attempts=3,
            timeout=None,
            wait_initial=0.5,
            wait_max=5.0,
        ):
            with attempt:
                output = self.run(
                    *arguments, directory=directory, stdin=stdin, remote=remote, timeout=timeout
                )
        return output

    def stop(self) -> None:
        """End the commands under way, with their children, and refuse new ones."""
        with self._lock:
            self._is_stopped = True
            for process in self._running:
                _end(process)

    @contextmanager
    def _process(
        self,
        arguments: Sequence[str],
        directory: str | os.PathLike[str] | None,
        stdin: bytes,
        remote: Remote | None,
    ) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        command = ["git", *([] if directory is None else [f"--git-dir={os.fspath(directory)}"]), *arguments]
        # Files for input and errors: two pipes could each wait for the other.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
            given.write(stdin)
            given.seek(0)
            with self._lock:
                if self._is_stopped:
                    raise GitError("stopped")
                process = subprocess.Popen(
                    command,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=_with_settings(self._environment, remote),
                    start_new_session=True,
                    cwd=os.sep,
                )
                self._running.add(process)
            try:
                yield process, errors
            finally:
                with self._lock:
                    self._running.discard(process)
                    _end(process)
                process.wait()
                assert process.stdout is not None
                process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)


def _raise_for(process: subprocess.Popen[bytes], errors: IO[bytes], remote: Remote | None) -> None:
    errors.seek(0)
    words = errors.read(_CHUNK).decode("utf-8", "replace")
    if "shallow roots are not allowed" in words:
        # git only warns, exits with 0 and leaves out the refs in question.
        raise GitError(SHALLOW)
    if process.returncode:
        secret = (remote.password or remote.username) if remote else ""
        raise GitError(words, [secret] if secret else [])


def _environment() -> dict[str, str]:
    """The process's environment without what would turn git elsewhere or make it ask."""
    # A person's settings by count stay.
    dropped = _of_one_repository(shutil.which("git")) - {"GIT_CONFIG_COUNT"} | {"SSH_ASKPASS"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("GIT_TRACE")
    }
    if not kept.keys() & {"GIT_SSH", "GIT_SSH_COMMAND"} and not _said("config", "core.sshCommand"):
        kept["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=20"
    return {
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_NO_LAZY_FETCH": "1",
        # One write per buffer, not per commit.
        "GIT_FLUSH": "0",
    }


@cache
def _of_one_repository(git: str | None) -> frozenset[str]:
    """The variables that tie git to one repository, in its own list; raises where it is too old."""
    mend = f"install git {MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or later"
    if not git:
        raise SourceError("git is not installed", mend)
    version = _said("version")
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < MINIMUM_VERSION:
        raise SourceError(f"{version} is too old", mend)
    return frozenset(_said("rev-parse", "--local-env-vars").split())


def _said(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=os.sep).stdout.strip()


def _with_settings(environment: Mapping[str, str], remote: Remote | None) -> dict[str, str]:
    settings = [*_SETTINGS.items(), *(remote.settings() if remote else ())]
    first = int(environment.get("GIT_CONFIG_COUNT") or 0)
    added = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, first):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    if remote:
        added |= {"CAIRN_GIT_USERNAME": remote.username, "CAIRN_GIT_PASSWORD": remote.password}
    return {**environment, **added}
