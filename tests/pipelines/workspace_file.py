"""A workspace file to write and to read, with a tool of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import pytest
from pydantic import AfterValidator, SecretStr, ValidationInfo

import connectors
from connectors.connector import Connector, Options
from pipelines.workspace import (
    SourceConfig,
    Workspace,
    WorkspaceError,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic import JsonValue

    from connectors.connector import Item, Note, Problem

SECRET = "s3cr3t-value"


def _in_folder(path: str, info: ValidationInfo) -> str:
    assert info.context
    return str(info.context["folder"] / path)


def _options(source: SourceConfig) -> Any:
    """A source's options, of whichever connector's type."""
    return source.options


def _refuse_loudly(value: str) -> str:
    if "!" in value:
        raise ValueError(f"{value} is too loud")
    return value


class Login(Options):
    password: SecretStr


class ToolOptions(Options):
    url: Annotated[str, AfterValidator(_refuse_loudly)] = "https://tool.example.com"
    token: SecretStr | None = None
    tokens: tuple[SecretStr, ...] = ()
    login: Login | None = None
    releases: str = "^v"
    count: int = 0
    folders: tuple[Annotated[str, AfterValidator(_in_folder)], ...] = ()


class Tool(Connector):
    kind: ClassVar[str] = "tool"
    streams: ClassVar[tuple[str, ...]] = ()
    options_type = ToolOptions

    def read(self, cursors: Mapping[str, JsonValue]) -> Iterator[Item]:  # noqa: ARG002
        yield from ()

    def check(self) -> Iterator[Problem | Note]:
        yield from ()


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second kind of source, and a third whose package is broken."""
    registered, kinds = connectors.connector_type, connectors.kinds()

    def connector_type(kind: str) -> type[Connector]:
        if kind == "broken":
            raise ModuleNotFoundError("No module named 'missing'")
        return Tool if kind == "tool" else registered(kind)

    monkeypatch.setattr(connectors, "connector_type", connector_type)
    monkeypatch.setattr(connectors, "kinds", lambda: [*kinds, "tool"])


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workspace]:
    monkeypatch.chdir(tmp_path)

    def read(text: str | bytes, **environ: str) -> Workspace:
        Path("cairn.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(Path("cairn.yaml"), environ)

    return read


@pytest.fixture
def complaints(read: Callable[..., Workspace]) -> Callable[..., list[str]]:
    def complaints(text: str | bytes, **environ: str) -> list[str]:
        with pytest.raises(WorkspaceError) as caught:
            read(text, **environ)
        lines = str(caught.value).splitlines()
        assert len(lines) == len(caught.value.problems)
        assert SECRET not in str(caught.value)
        return lines

    return complaints


HEAD = "organisation: Acme\n"
TOOL = "sources: [{kind: tool}]\n"
