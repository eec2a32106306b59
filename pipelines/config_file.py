"""A YAML settings file as plain data that knows the line of every key.

Text may name environment variables as `${NAME}`; `$${` stands for a plain `${`. What is wrong is
collected, not raised, so that a person sees all of it at once, and no message holds a variable's value.
"""

from __future__ import annotations

import difflib
import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Location = tuple[str | int, ...]
"""Keys and list indices from the top of the file, as in `ValidationError.errors()[…]["loc"]`."""

Model = TypeVar("Model", bound=BaseModel)

REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A value that is one environment variable and nothing else matches whole."""

NOT_A_LIST = "must be a list", "Write it as `[one, two]`, or one `- entry` per line"
NOT_A_GROUP = "must be a group of `key: value` lines", "Give it keys of its own, or correct the indentation"

_EXPANSION = re.compile(r"\$(?:\$\{|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\{)")
# YAML ends a bare word at a brace inside `{…}`, so `{token: ${NAME}}` would not parse: while YAML reads,
# the braces of a reference are two characters that Unicode keeps out of all text.
_BRACED = re.compile(r"\$\{([^{}\n]*)\}")
_HIDDEN = str.maketrans({"\ufdd0": "{", "\ufdd1": "}"})
# A shorter value would take the words of a message apart, and is no secret.
_SHORTEST_HIDDEN = 4

_YAML_MENDS = (
    ("'\\t' that cannot start", "Indent with spaces, not with tabs"),
    ("unknown escape character", "Put the value in single quotes, or double each backslash"),
    ("scanning an alias", "A leading `*` means something to YAML: put the value in quotes"),
    ("mapping values are not allowed", "Correct the indentation, or put a value that holds `: ` in quotes"),
    ("found undefined alias", "A leading `*` means something to YAML: put the value in quotes"),
    ("expected a single document", "Remove the `---` and what follows: a workspace is one document"),
    ("cannot start any token", "Put the value in quotes"),
    ("parsing a flow", "Close the bracket, or put a value that holds brackets or commas in quotes"),
    ("is not allowed", "Remove it"),
)
_TYPE_WORDS = {
    "missing": ("is missing", "Add it"),
    "string_type": ("must be text", "Put the value in quotes"),
    "list_type": NOT_A_LIST,
    "tuple_type": NOT_A_LIST,
    "dict_type": NOT_A_GROUP,
    "model_type": NOT_A_GROUP,
    "too_short": ("must not be empty", "Give it at least one entry"),
    "string_too_short": ("must not be empty", "Write a value"),
}


@dataclass(frozen=True)
class ConfigProblem:
    """One thing wrong with a settings file; `str()` is one printable line."""

    file: str
    line: int | None
    """From 1; None where no line is to blame, as for a missing file."""
    key: str
    """As in `sources[0].token`; empty where no key is to blame."""
    message: str
    mend: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        said = ": ".join(part for part in (where, self.key, self.message.rstrip(".")) if part)
        line = " ".join(f"{said}. {self.mend.rstrip('.')}.".split())
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def refusal(message: str, mend: str) -> PydanticCustomError:
    """What a pydantic validator raises to have `message` and `mend` in the problem's line."""
    return PydanticCustomError("setting", "{message}", {"message": message, "mend": mend})


def suggestion(word: str, known: Iterable[str], count: int = 1) -> str:
    """`Did you mean …? `, or nothing where no known word is near."""
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, count, cutoff=0.55)
    return f"Did you mean {' or '.join(f'`{by_folded[name]}`' for name in near)}? " if near else ""


class ConfigFile:
    """The file at `path`; `data` is None where it cannot be read as a group of keys."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self.problems: list[ConfigProblem] = []
        self.data: dict[str, Any] | None = None
        self._environ = environ
        self._hidden: dict[str, str] = {}
        self._root: yaml.Node | None = None
        self._values: dict[yaml.Node, Any] = {}
        self._unfinished: set[yaml.Node] = set()
        self._broken: set[yaml.Node] = set()
        text = self._text()
        if text is not None:
            self._parse(text)

    def add(self, location: Location, message: str, mend: str, line: int | None = None) -> None:
        """Note a problem with the key at `location`, unless its value is already known to be broken."""
        path, node, found_line = self._find(location)
        if node in self._broken:
            return
        if isinstance(node, yaml.MappingNode):
            path = location[: len(path) + 1]  # names a key that is missing there
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        problem = ConfigProblem(
            str(self.path), line or found_line, key, self._redacted(message), self._redacted(mend)
        )
        if problem not in self.problems:
            self.problems.append(problem)

    def reject(self, location: Location, message: str, mend: str) -> None:
        """As `add`, and nothing more will be said of the value."""
        self.add(location, message, mend)
        node = self._find(location)[1]
        if node is not None:
            self._broken.add(node)

    def hide(self, value: str, shown: str) -> None:
        """Have later problems say `shown` wherever they would say `value`."""
        if len(value) >= _SHORTEST_HIDDEN:
            self._hidden[value] = shown

    def validated(
        self,
        model: type[Model],
        value: object,
        location: Location,
        *,
        known: Iterable[str] | None = None,
        context: object = None,
    ) -> Model | None:
        """`value` as a `model`, or None with its problems noted under `location`.

        `known` are the names to suggest for an unknown key (default: the model's fields).
        """
        try:
            return model.model_validate(value, context=context)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            for detail in details:
                where = detail["loc"]
                if detail["type"] == "too_short" and any(
                    other["loc"][: len(where)] == where != other["loc"] for other in details
                ):
                    continue  # entries are there, each with a problem of its own
                names = (model.model_fields if known is None else known) if len(where) == 1 else ()
                self._add_detail(location, detail, tuple(names))
        return None

    def texts(self, location: Location) -> Iterator[tuple[Location, str]]:
        """Every single value at or under `location`, as it stands in the file (`${NAME}` unexpanded)."""
        path, node, _ = self._find(location)
        if path != location or node in self._broken:
            return
        if isinstance(node, yaml.ScalarNode):
            yield location, node.value
        elif isinstance(node, yaml.SequenceNode):
            for index in range(len(node.value)):
                yield from self.texts((*location, index))
        elif isinstance(node, yaml.MappingNode):
            for key in self._values.get(node, ()):
                yield from self.texts((*location, key))

    def _add_detail(self, location: Location, detail: Any, names: tuple[str, ...]) -> None:
        where: Location = (*location, *detail["loc"])
        path, node, _ = self._find(where)
        kind, message = detail["type"], detail["msg"]
        if kind == "extra_forbidden":
            message = "is not a setting"
            mend = suggestion(str(where[-1]), names) + (
                f"Known here: {', '.join(names)}" if names else "Remove it"
            )
        elif path == where and node in self._values and self._values[node] is None:
            message, mend = "has no value", "Write one after the colon, or remove the line"
        elif kind == "string_type" and not isinstance(node, yaml.ScalarNode):
            message, mend = "must be a single text", "Write one value, without brackets or dashes"
        elif kind in _TYPE_WORDS:
            message, mend = _TYPE_WORDS[kind]
        elif kind == "setting":
            mend = detail["ctx"]["mend"]
        else:
            message = message.removeprefix("Value error, ").replace("Input should", "should")
            mend = "Correct the value"
        self.add(where, message, mend)

    def _text(self) -> str | None:
        try:
            encoded = self.path.read_bytes()
        except FileNotFoundError:
            self._add_whole(
                "there is no such file",
                "Make it, with the lines `organisation: NAME` and "
                "`sources: [{kind: git, repositories: [PATH-OR-URL]}]`, or correct the path",
            )
        except IsADirectoryError:
            self._add_whole("is a folder", "Name the file in it")
        except OSError as error:
            self._add_whole(f"cannot be read: {error.strerror}", "Make it readable to the user who runs this")
        else:
            try:
                return encoded.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                line = encoded.count(b"\n", 0, error.start) + 1
                self._add_whole("is not UTF-8 text", "Save the file as UTF-8", line)
        return None

    def _add_whole(self, message: str, mend: str, line: int | None = None) -> None:
        self.problems.append(ConfigProblem(str(self.path), line, "", message, mend))

    def _parse(self, text: str) -> None:
        try:
            # The reader refuses control characters as soon as the loader is made.
            self._loader = yaml.SafeLoader(_BRACED.sub("$\ufdd0\\1\ufdd1", text))
            self._root = self._loader.get_single_node()
            if self._root is None:
                self._add_whole(
                    "the file is empty",
                    "Write at least `organisation: NAME` and "
                    "`sources: [{kind: git, repositories: [PATH-OR-URL]}]`",
                    1,
                )
                return
            value = self._value(self._root, ())
        except yaml.YAMLError as error:
            self._add_yaml_error(error, text)
        except RecursionError:
            self._add_whole("is nested too deeply to be read", "Close the brackets that are open", 1)
        else:
            if isinstance(value, dict):
                self.data = value
            elif self._root not in self._broken:
                self._add_whole("must be `key: value` lines", "Begin with `organisation: NAME`", 1)

    def _add_yaml_error(self, error: yaml.YAMLError, text: str) -> None:
        line = 1
        if isinstance(error, yaml.MarkedYAMLError):
            mark, begun = error.problem_mark or error.context_mark, error.context_mark
            line = mark.line + 1 if mark else 1
            context = error.context and error.context + (
                f" begun on line {begun.line + 1}" if begun and begun.line + 1 != line else ""
            )
            message = ", ".join(part for part in (context, error.problem) if part)
        elif isinstance(error, yaml.reader.ReaderError):
            line = text.count("\n", 0, error.position) + 1
            message = f"character U+{ord(text[error.position]):04X} is not allowed"
        else:
            message = str(error)
        message = message.translate(_HIDDEN)
        mend = next((mend for words, mend in _YAML_MENDS if words in message), "Correct the YAML there")
        self._add_whole(f"is not YAML: {message}", mend, line)

    def _value(self, node: yaml.Node, location: Location) -> Any:
        if node in self._unfinished:
            return self._fail(node, location, "contains itself", "Remove the alias (`*…`)")
        if node not in self._values:
            self._unfinished.add(node)
            if isinstance(node, yaml.ScalarNode):
                value = self._scalar(node, location)
            elif node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
                value = self._fail(node, location, f"`{node.tag}` is not understood here", "Remove it")
            elif isinstance(node, yaml.MappingNode):
                value = self._mapping(node, location)
            else:
                value = [self._value(child, (*location, i)) for i, child in enumerate(node.value)]
            self._unfinished.remove(node)
            self._values[node] = value
        return self._values[node]

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.add(location, "a key must be a plain word", "Put the key in quotes", line)
            elif key.value in lines and key.tag != "tag:yaml.org,2002:merge":
                self.add(
                    (*location, key.value),
                    f"is given twice, first on line {lines[key.value]}",
                    "Remove one of them",
                    line,
                )
            else:
                lines[key.value] = line
        self._loader.flatten_mapping(node)
        node.value = [pair for pair in node.value if isinstance(pair[0], yaml.ScalarNode)]
        return {key.value: self._value(value, (*location, key.value)) for key, value in node.value}

    def _scalar(self, node: yaml.ScalarNode, location: Location) -> Any:
        node.value = node.value.translate(_HIDDEN)
        if node.tag.startswith("!"):
            mend = "A leading `!` means something to YAML: put the value in quotes"
            return self._fail(node, location, f"`{node.tag}` is not understood here", mend)
        try:
            value = self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError, AttributeError):  # as PyYAML fails, by tag
            kind = node.tag.rpartition(":")[2]
            return self._fail(node, location, f"cannot be read as {kind}", "Put the value in quotes")
        if not isinstance(value, str):
            return value
        expanded = _EXPANSION.sub(lambda match: self._variable(match, node, location), value)
        if re.search("[\0\ud800-\udfff]", expanded):
            return self._fail(node, location, "holds a character that is no text", "Remove it")
        return expanded

    def _variable(self, match: re.Match[str], node: yaml.Node, location: Location) -> str:
        if match[0] == "$${":
            return "${"
        name = match["name"]
        if name is None:
            mend = "Write `${NAME}` for an environment variable, or `$${` for a plain `${`"
            self._fail(node, location, "`${` does not begin the name of an environment variable", mend)
            return match[0]
        value = self._environ.get(name) or self._dotenv.get(name)
        if not value:
            mend = f"Run `export {name}=…` first, or add the line `{name}=…` to {self._dotenv_path}"
            self._fail(node, location, f"the environment variable {name} is not set or empty", mend)
            return match[0]
        self.hide(value, f"${{{name}}}")
        return value

    @property
    def _dotenv_path(self) -> Path:
        return self.path.parent / ".env"

    @cached_property
    def _dotenv(self) -> dict[str, str]:
        """Variables of the `.env` file beside this one, if there is one."""
        from dotenv.parser import parse_stream

        file, values = str(self._dotenv_path), dict[str, str]()
        try:
            text = self._dotenv_path.read_text("utf-8-sig")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError):
            self.problems.append(ConfigProblem(file, None, "", "cannot be read as UTF-8 text", "Mend it"))
            return {}
        for binding in parse_stream(io.StringIO(text)):
            if binding.error:
                words = binding.original.string
                line = binding.original.line + len(words) - len(words.lstrip("\n"))
                self.problems.append(ConfigProblem(file, line, "", "is not `NAME=value`", "Correct the line"))
            elif binding.key and binding.value:
                values[binding.key] = binding.value
        return values

    def _fail(self, node: yaml.Node, location: Location, message: str, mend: str) -> Any:
        """Note what is wrong with a value and expect nothing more of it; None stands in its place."""
        self.add(location, message, mend, node.start_mark.line + 1)
        self._broken.add(node)
        return None

    def _redacted(self, words: str) -> str:
        for value in sorted(self._hidden, key=len, reverse=True):
            for form in (value, repr(value)[1:-1]):
                words = words.replace(form, self._hidden[value])
        return words

    def _find(self, location: Location) -> tuple[Location, yaml.Node | None, int]:
        """The longest part of `location` that the file has, its value's node and its line."""
        node, line, depth = self._root, 1, 0
        for part in location:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in reversed(node.value) if pair[0].value == part), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            else:
                break
            depth += 1
        return location[:depth], node, line
