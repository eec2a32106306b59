"""What `cairn init` asks about a source, read off the settings of its connector."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

import connectors
from connectors.connector import Options

Location = tuple[str | int, ...]

_ASKED: Mapping[str, tuple[str, ...]] = {
    "alertmanager": ("url", "user", "password", "token", "prometheus_url"),
    "backstage": ("url", "token"),
    "git": ("repositories",),
    "github": ("organization", "token", "url", "repositories"),
    "gitlab": ("url", "token", "group", "projects"),
    "jenkins": ("url", "user", "token", "jobs"),
    "kubernetes": ("url", "token", "labels"),
    "pagerduty": ("token", "url"),
}
"""Kind → the settings that are asked for, in this order, and whatever else is required.

Of a kind that is not listed these are what is required and what is secret.
"""


class Question(NamedTuple):
    """A setting to ask for."""

    location: Location
    """Where in the source's settings the answer goes."""
    help: str
    """What the setting means; empty where the connector does not say."""
    default: str
    """What holds without an answer; empty for nothing."""
    is_required: bool
    is_secret: bool
    is_list: bool
    is_text: bool

    @property
    def words(self) -> str:
        return " ".join(str(part) for part in self.location if isinstance(part, str)).replace("_", " ")


def about(kind: str) -> str:
    """One line on what a kind of source reads. Raises whatever a broken package raises."""
    return (inspect.getdoc(connectors.connector_type(kind)) or "").partition("\n")[0]


def questions(kind: str) -> list[Question]:
    """What to ask about a source of this kind."""
    model = connectors.connector_type(kind).options_type
    listed = [name for name in _ASKED.get(kind, ()) if name in model.model_fields]
    wanted = {
        name: None
        for name, field in model.model_fields.items()
        if field.is_required() or (kind not in _ASKED and _is_secret(field.annotation))
    }
    return list(_of_model(model, (*listed, *(wanted.keys() - listed)), ()))


def _of_model(model: type[BaseModel], names: tuple[str, ...], above: Location) -> Iterator[Question]:
    said = _docstrings(model)
    for name in names:
        field = model.model_fields[name]
        key = field.alias or name
        is_list = any(get_origin(part) in (tuple, list) for part in _parts(field.annotation))
        group = next((part for part in _parts(field.annotation) if _is_model(part)), None)
        if group is not None:
            required = tuple(inner for inner, of in group.model_fields.items() if of.is_required())
            yield from _of_model(group, required, (*above, key, *([0] if is_list else [])))
            continue
        yield Question(
            location=(*above, key),
            help=field.description or said.get(name, ""),
            default=_shown(None if field.is_required() else field.default),
            is_required=field.is_required(),
            is_secret=_is_secret(field.annotation),
            is_list=is_list,
            is_text=str in _parts(field.annotation),
        )


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and everything it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _is_secret(annotation: Any) -> bool:
    secrets = (SecretStr, SecretBytes, Secret)
    return any(isinstance(part, type) and issubclass(part, secrets) for part in _parts(annotation))


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, default))
    return "" if default is None else str(default)


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Field → the text that stands below it in the source."""
    said: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if not issubclass(each, BaseModel) or each in (BaseModel, Options):
            continue
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                continue
            if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                said[field.target.id] = " ".join(str(text.value.value).split())
    return said
