"""Secrets have no place in the workspace file itself: they come from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from pipelines.config_file import REFERENCE, ConfigFile, Location

_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@", re.IGNORECASE)


def check(file: ConfigFile, model: type[BaseModel], entry: object, location: Location) -> None:
    """Refuse a secret that stands in the file itself."""
    for secret in _secret_locations(model, entry, location):
        for place, text in file.texts(secret):
            if text and not REFERENCE.fullmatch(text):
                mend = "Write `${NAME}`, and put the secret into that environment variable"
                file.hide(text, "…")
                file.reject(place, "is a secret and must not stand in the file", mend)
    for place, text in file.texts(location):
        account = _WITH_PASSWORD.match(text)
        if account and not REFERENCE.fullmatch(account[1]):
            mend = "Write `${NAME}` in its place, and put the password into that environment variable"
            file.hide(account[1], "…")
            file.reject(place, "holds a password, which must not stand in the file", mend)


def _secret_locations(annotation: Any, value: object, location: Location) -> Iterator[Location]:
    """Where in `value` pydantic expects a secret."""
    if isinstance(annotation, type) and issubclass(annotation, SecretStr | SecretBytes | Secret):
        yield location
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if isinstance(value, dict):
            for name, field in annotation.model_fields.items():
                key = field.alias or name
                if key in value:
                    yield from _secret_locations(field.annotation, value[key], (*location, key))
    else:
        for part in get_args(annotation):
            if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from _secret_locations(part, item, (*location, index))
            yield from _secret_locations(part, value, location)
