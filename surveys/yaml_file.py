"""A YAML file as plain data that knows the line of every key."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Location = tuple[str | int, ...]
"""Keys and list indices from the top of the file, as in `ValidationError.errors()[…]["loc"]`."""

Model = TypeVar("Model", bound=BaseModel)

_MENDS = {
    "missing": "Add it",
    "extra_forbidden": "Remove it, or correct its name",
    "string_type": "Put the value in quotes",
    "string_pattern_mismatch": "Use lower-case letters, digits and hyphens",
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file; `str()` is one line."""

    file: str
    line: int
    """From 1."""
    key: str
    """As in `items[0].text.de`; empty where no key is to blame."""
    message: str
    mend: str

    def __str__(self) -> str:
        said = ": ".join(part for part in (f"{self.file}:{self.line}", self.key, self.message) if part)
        return " ".join(f"{said.rstrip('.')}. {self.mend}.".split())


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"`{key.value}` is given twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class YamlFile:
    """The file at `path`; `data` is None where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self.data: Any = None
        self._name = str(path)
        self._root: yaml.Node | None = None
        try:
            loader = _Loader(path.read_text("utf-8-sig"))
            self._root = loader.get_single_node()
            self.data = loader.construct_document(self._root) if self._root else {}
        except OSError as error:
            self._whole(1, f"cannot be read: {error.strerror}", "Correct the path or its permissions")
        except (UnicodeDecodeError, yaml.reader.ReaderError) as error:
            self._whole(1, f"is not UTF-8 text: {error.reason}", "Save it as UTF-8")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._whole(mark.line + 1 if mark else 1, str(error.problem), "Correct the YAML there")
        except (ValueError, RecursionError) as error:  # a date that is none, or endless nesting
            self._whole(1, f"cannot be read: {error}", "Put such values in quotes")

    def add(self, location: Location, message: str, mend: str) -> None:
        """Note a problem with the value at `location`, or the nearest one around it."""
        node, line, key = self._root, 1, ""
        for part in location:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
                line, node = (pair[0].start_mark.line + 1, pair[1]) if pair else (line, None)
                key += f".{part}" if part != "[key]" else ""
                continue
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            key += f"[{part}]" if isinstance(part, int) else f".{part}"
        self.problems.append(Problem(self._name, line, key.lstrip("."), message, mend))

    def validated(self, model: type[Model]) -> Model | None:
        """The data as a `model`, or None with its problems noted."""
        if self.problems:
            return None
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                message = detail["msg"].removeprefix("Value error, ")
                self.add(detail["loc"], message, _MENDS.get(detail["type"], "Correct the value"))
        return None

    def _whole(self, line: int, message: str, mend: str) -> None:
        self.problems.append(Problem(self._name, line, "", message, mend))
