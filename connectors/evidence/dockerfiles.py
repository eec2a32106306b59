"""Dockerfiles: the images that stages are built from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connectors.evidence.found import Found

_DIRECTIVE = re.compile(r"#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE).match
_FROM = re.compile(
    r"\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<name>\S+))?\s*$", re.IGNORECASE
).match
_ARG = re.compile(r"\s*ARG\s+(?P<rest>.+)$", re.IGNORECASE).match
_ARGUMENT = re.compile(r"([A-Za-z_]\w*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][\w.]*)\1")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::(?P<how>[-+])(?P<word>[^{}]*))?\}|(?P<plain>\w+))")
_DOCKER_HUB = re.compile(r"^(?:(?:index\.)?docker\.io/)(?:library/)?")


def read(text: str) -> Iterator[Found]:
    """The images of all stages but those that earlier ones are called, `scratch`, and unset variables."""
    arguments: dict[str, str] = {}
    stages: set[str] = set()
    for line in _instructions(text):
        match = _FROM(line)
        if match:
            image = _substituted(match["image"], arguments)
            if "$" not in image and image.casefold() not in {"scratch", *stages}:
                yield built_from(image)
            stages.add((match["name"] or "").casefold())
        elif not stages and (match := _ARG(line)):
            # Those before the first stage alone reach `FROM`.
            for name, value in _ARGUMENT.findall(match["rest"]):
                if value:
                    arguments[name] = _substituted(value.strip("\"'"), arguments)


def built_from(image: str) -> Found:
    """What stands after `FROM`: the image without tag and digest, and the tag or digest."""
    name, _, digest = image.strip().partition("@")
    start, colon, tag = name.rpartition(":")
    if colon and "/" not in tag:
        return Found(f"image:{_DOCKER_HUB.sub('', start)}", tag)
    return Found(f"image:{_DOCKER_HUB.sub('', name)}", digest or None)


def _instructions(text: str) -> Iterator[str]:
    """Whole instructions: lines joined, without comments and here-documents."""
    escape, ends, held, is_at_top = "\\", list[str](), "", True
    for line in text.splitlines():
        if is_at_top and (directive := _DIRECTIVE(line)):
            escape = directive[1]
        is_at_top = is_at_top and line.startswith("#")
        if ends:
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        if line.lstrip().startswith("#"):
            continue
        if line.rstrip().endswith(escape):
            held += line.rstrip()[:-1] + " "
            continue
        whole, held = held + line, ""
        if re.match(r"\s*(?:RUN|COPY|ADD)\s", whole, re.IGNORECASE):
            ends = [word for _, word in _HEREDOC.findall(whole)]
        elif whole.strip():
            yield whole


def _substituted(text: str, arguments: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        known = arguments.get(match["braced"] or match["plain"])
        if match["how"] == "+":
            return match["word"] if known else ""
        if known is not None:
            return known
        return match["word"] if match["how"] == "-" else match[0]

    return _VARIABLE.sub(value, text)
