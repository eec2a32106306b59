"""Checks requests and responses against the API description that a tool's maker publishes.

The full descriptions are read where they are (`CAIRN_SHARED`, by default `../shared` beside the
repository), else the copies in `tests/data/specs`, stripped to the operations that Cairn uses:

    python -m tests.specification github "/repos/{owner}/{repo}/deployments" "POST /graphql"

adds operations to the copy of `github`; one without a method is a GET.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import yaml
from openapi_schema_validator import (
    OAS30Validator,
    OAS31Validator,
    oas30_format_checker,
    oas31_format_checker,
)
from referencing import Registry, Resource

_ROOT = Path(__file__).parent.parent
_COPIES = _ROOT / "tests" / "data" / "specs"
_URI = "urn:specification"
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}

Node = dict[str, Any]
Query = Mapping[str, str] | Iterable[tuple[str, str]]


class _Operation(NamedTuple):
    template: str
    method: str
    pointer: tuple[str, ...]
    """Where it is in the document."""
    path_values: dict[str, str]


class Specification:
    """One tool's API description, OpenAPI 3.x or Swagger 2.0."""

    def __init__(self, name: str) -> None:
        """Raises `FileNotFoundError` where there is neither the description nor a stripped copy of it."""
        full = _full_file(name)
        self.is_full = full is not None
        """Not a stripped copy: there may be `examples`."""
        self.name = name
        self._document = _read(full or _COPIES / f"{name}.json.gz")
        self._registry: Registry[Any] = Registry().with_resource(_URI, Resource.opaque(self._document))
        is_31 = str(self._document.get("openapi", "3.0")).startswith("3.1")
        self._validator = OAS31Validator if is_31 else OAS30Validator
        self._formats = oas31_format_checker if is_31 else oas30_format_checker
        # Fewest parameters first: `/pulls/comments` before `/pulls/{number}`.
        self._templates = [
            (template, self._pattern(template))
            for template in sorted(self._document["paths"], key=lambda path: (path.count("{"), path))
        ]

    def request(self, method: str, path: str, query: Query = ()) -> None:
        """Check a request; `path` as it was sent, still percent-encoded. Raises `AssertionError`."""
        operation = self._operation(method, path)
        what = f"{method} {operation.template}"
        parameters = self._parameters(operation)
        given: dict[str, list[str]] = defaultdict(list)
        for name, value in query.items() if isinstance(query, Mapping) else query:
            given[name].append(str(value))
        known = {name for place, name in parameters if place == "query"}
        unknown = sorted(given.keys() - known)
        assert not unknown, f"{what} has no parameter {unknown}, but {sorted(known)}"
        for (place, name), parameter in parameters.items():
            if place == "path":
                self._check_value(parameter, [unquote(operation.path_values[name])], f"{what}: {name}")
            elif place == "query" and name in given:
                self._check_value(parameter, given[name], f"{what}: {name}")
            elif place == "query":
                assert not parameter.get("required"), f"{what} needs the parameter {name}"

    def response(
        self, method: str, path: str, status: int, body: Any, *, despite: Iterable[str] = ()
    ) -> None:
        """Check the parsed body of a response, None where there was none. Raises `AssertionError`.

        `despite` are regular expressions of complaints to pass over, where the tool itself breaks its word.
        """
        pointer = self._schema_of(self._response(self._operation(method, path), status))
        complaints = self._errors(body, pointer) if pointer else []
        found = [each for each in complaints if not any(re.search(known, each) for known in despite)]
        assert not found, f"{method} {path} {status} does not fit {self.name}:\n" + "\n".join(found[:10])

    def examples(self, method: str, path: str, status: int = 200) -> list[Any]:
        """The documented bodies of a response; none in a stripped copy."""
        media = self._at(self._content_of(self._response(self._operation(method, path), status)) or ()) or {}
        shown = [media["example"]] if "example" in media else []
        return shown + [self._resolved(each)["value"] for each in media.get("examples", {}).values()]

    def schema_errors(self, value: Any, schema: str) -> list[str]:
        """What of `value` does not fit the named schema, as for the body of a webhook."""
        home = ("definitions",) if "swagger" in self._document else ("components", "schemas")
        return self._errors(value, (*home, schema))

    def _operation(self, method: str, path: str) -> _Operation:
        for template, pattern in self._templates:
            match = pattern.fullmatch(path)
            if match and method.lower() in self._document["paths"][template]:
                names = re.findall(r"{([^}]*)}", template)
                values = dict(zip(names, match.groups(), strict=True))
                return _Operation(template, method, ("paths", template, method.lower()), values)
        raise AssertionError(f"{self.name} knows no {method} {path}")

    def _pattern(self, template: str) -> re.Pattern[str]:
        """What paths a template stands for, with or without the path that the servers have before it."""
        servers = [server["url"] for server in self._document.get("servers", [])]
        bases = {urlsplit(url).path.rstrip("/") for url in [*servers, self._document.get("basePath", "")]} - {
            ""
        }
        multiple = {
            parameter["name"]
            for each in self._document["paths"][template].values()
            if isinstance(each, dict)
            for parameter in map(self._resolved, each.get("parameters", []))
            if parameter.get("x-multi-segment")
        }
        parts = re.split(r"{([^}]*)}", template)
        pattern = "".join(
            re.escape(part) if number % 2 == 0 else "(.+)" if part in multiple else "([^/]+)"
            for number, part in enumerate(parts)
        )
        prefix = f"(?:{'|'.join(map(re.escape, sorted(bases)))})?" if bases else ""
        return re.compile(prefix + pattern)

    def _parameters(self, operation: _Operation) -> dict[tuple[str, str], Node]:
        shared = self._document["paths"][operation.template].get("parameters", [])
        own = self._at(operation.pointer).get("parameters", [])
        resolved = [self._resolved(each) for each in [*shared, *own]]
        return {(each["in"], each["name"]): each for each in resolved}

    def _check_value(self, parameter: Node, given: list[str], what: str) -> None:
        # In Swagger 2.0 a parameter is its own schema, but for the words around it.
        own = {key: value for key, value in parameter.items() if key not in {"in", "name", "required"}}
        schema = self._resolved(parameter.get("schema", own))
        if schema.get("type") == "array":
            texts = [text for each in given for text in each.split(",")] if len(given) == 1 else given
            values: list[Any] = [
                [_converted(text, self._resolved(schema.get("items", {}))) for text in texts]
            ]
        else:
            # PagerDuty describes one value of a parameter that it takes several times.
            is_repeatable = parameter["name"].endswith("[]")
            assert len(given) == 1 or is_repeatable, f"{what} is given {len(given)} times"
            values = [_converted(text, schema) for text in given]
        for value in values:
            found = self._schema_errors(value, _absolute(schema))
            assert not found, f"{what} = {given}: {found[0]}"

    def _response(self, operation: _Operation, status: int) -> tuple[str, ...]:
        responses = self._at((*operation.pointer, "responses"))
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in responses:
                return (*operation.pointer, "responses", key)
        raise AssertionError(f"{operation.method} {operation.template} has no response {status}")

    def _content_of(self, response: tuple[str, ...]) -> tuple[str, ...] | None:
        """Where the JSON of a response is described."""
        pointer = self._followed(response)
        content = self._at(pointer).get("content", {})
        kinds = [kind for kind in content if "json" in kind or kind == "*/*"]
        return (*pointer, "content", kinds[0]) if kinds else None

    def _schema_of(self, response: tuple[str, ...]) -> tuple[str, ...] | None:
        holder = self._content_of(response) or self._followed(response)
        return (*holder, "schema") if "schema" in self._at(holder) else None

    def _followed(self, pointer: tuple[str, ...]) -> tuple[str, ...]:
        while "$ref" in (node := self._at(pointer)):
            pointer = _steps(node["$ref"])
        return pointer

    def _resolved(self, node: Node) -> Node:
        while "$ref" in node:
            node = self._at(_steps(node["$ref"]))
        return node

    def _at(self, pointer: Iterable[str]) -> Any:
        node: Any = self._document
        for step in pointer:
            node = node[int(step)] if isinstance(node, list) else node[step]
        return node

    def _errors(self, value: Any, pointer: tuple[str, ...]) -> list[str]:
        fragment = "/".join(step.replace("~", "~0").replace("/", "~1") for step in pointer)
        return self._schema_errors(value, {"$ref": f"{_URI}#/{quote(fragment, safe='/~')}"})

    def _schema_errors(self, value: Any, schema: Node) -> list[str]:
        validator = self._validator(schema, registry=self._registry, format_checker=self._formats)
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def _full_file(name: str) -> Path | None:
    folder = Path(os.environ.get("CAIRN_SHARED") or _ROOT.parent / "shared") / "specs"
    return next((path for path in sorted(folder.glob(f"{name}.*")) if "graphql" not in path.name), None)


@lru_cache(maxsize=2)
def _read(path: Path) -> Node:
    text = gzip.decompress(path.read_bytes())
    document: Node = json.loads(text) if ".json" in path.name else yaml.load(text, _Loader)
    if "swagger" in document:
        _spell_nullable(document)
    return document


class _Loader(yaml.CSafeLoader):
    """YAML as JSON has it: dates stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _spell_nullable(node: Any) -> None:
    """Swagger 2.0 has no word for null; its users write `x-nullable`."""
    if isinstance(node, dict):
        if node.get("x-nullable") is True:
            node["nullable"] = True
        for each in node.values():
            _spell_nullable(each)
    elif isinstance(node, list):
        for each in node:
            _spell_nullable(each)


def _absolute(node: Any) -> Any:
    """A schema out of its document, its references leading back there."""
    if isinstance(node, dict):
        return {
            key: _URI + value if key == "$ref" and isinstance(value, str) else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(each) for each in node] if isinstance(node, list) else node


def _steps(reference: str) -> tuple[str, ...]:
    assert reference.startswith("#/"), f"{reference} is outside the document"
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/"))


def _converted(text: str, schema: Node) -> Any:
    """The value that a text in an address stands for, by its schema's type; the text where it fits none."""
    kinds = schema.get("type") or [
        each.get("type") for each in schema.get("oneOf") or schema.get("anyOf") or ()
    ]
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind == "integer" and re.fullmatch(r"-?\d+", text):
            return int(text)
        if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text)
        if kind == "boolean" and text in {"true", "false"}:
            return text == "true"
    return text


_FOR_PEOPLE = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "deprecated"}
_UNUSED = {"operationId", "headers", "links", "security", "requestBody", "callbacks", "servers"}
_EXTENSIONS = {"x-nullable", "x-multi-segment"}
_NAMES_FOLLOW = {"properties", "patternProperties", "responses", "content"}


def _stripped(node: Any, *, are_names: bool = False) -> Any:
    """Without what no check needs; where `are_names`, keys are names and not words of the description."""
    if isinstance(node, list):
        return [_stripped(each) for each in node]
    if not isinstance(node, dict):
        return node
    if are_names:
        return {name: _stripped(value) for name, value in node.items()}
    kept = {key: value for key, value in node.items() if key not in _FOR_PEOPLE | _UNUSED}
    return {
        key: value if key in {"enum", "required"} else _stripped(value, are_names=key in _NAMES_FOLLOW)
        for key, value in kept.items()
        if not key.startswith("x-") or key in _EXTENSIONS
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def strip(name: str, operations: Iterable[str]) -> Path:
    """Write the copy of `name` with these operations and those that it has already."""
    full = _full_file(name)
    assert full, f"there is no full description of {name}"
    document = _read(full)
    target = _COPIES / f"{name}.json.gz"
    wanted = {tuple(each.split(" ", 1)) if " " in each else ("GET", each) for each in operations}
    if target.exists():
        known = _read(target)["paths"]
        wanted |= {(method.upper(), path) for path in known for method in known[path].keys() & _METHODS}
    kept: Node = {
        key: document[key] for key in ("openapi", "swagger", "servers", "basePath") if key in document
    }
    kept["paths"] = defaultdict(dict)
    for method, path in sorted(wanted):
        source = document["paths"][path]
        kept["paths"][path][method.lower()] = _stripped(source[method.lower()])
        if "parameters" in source:
            kept["paths"][path]["parameters"] = _stripped(source["parameters"])
    waiting = set(_references(kept["paths"]))
    done: set[str] = set()
    while waiting:
        reference = waiting.pop()
        done.add(reference)
        last, *following = _steps(reference)
        origin: Any = document
        copy: Any = kept
        # A list is copied whole: a part of it would have another number.
        while following and isinstance(origin[last], dict):
            origin, copy = origin[last], copy.setdefault(last, {})
            last, *following = following
        copy[last] = _stripped(origin[last])
        waiting |= set(_references(copy[last])) - done
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(json.dumps(kept, sort_keys=True).encode(), mtime=0))
    return target


if __name__ == "__main__":
    written = strip(sys.argv[1], sys.argv[2:])
    print(f"{written.relative_to(_ROOT)}: {written.stat().st_size} bytes")
