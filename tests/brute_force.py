"""The git-only rules read off `git` itself, one deployment at a time: slow, and with nothing of Cairn's."""

from __future__ import annotations

import re
import statistics
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

RELEASES = r"^v?\d+\.\d+\.\d+$"


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, errors="surrogateescape"
    ).stdout


def deployments(repository: Path, releases: str = RELEASES) -> list[tuple[int, str, str]]:
    """(time, tag, sha) of each deployment, in order."""
    form = "--format=%(refname:lstrip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)"
    tags = [line.split("\0") for line in git(repository, "for-each-ref", form, "refs/tags").splitlines()]
    found = sorted(
        (int(at), name, peeled or sha) for name, sha, peeled, at in tags if re.search(releases, name)
    )
    return [
        now
        for before, now in zip([None, *found], found, strict=False)
        if before is None or before[2] != now[2]
    ]


def monthly(repository: Path, releases: str = RELEASES) -> dict[str, dict[str, object]]:
    """Month → deployments, lead time's n, median in seconds and negatives; only months with a deployment."""
    live: list[str] = []
    counts: dict[str, int] = defaultdict(int)
    leads: dict[str, list[int]] = defaultdict(list)
    negative: dict[str, int] = defaultdict(int)
    for at, _, sha in deployments(repository, releases):
        month = f"{datetime.fromtimestamp(at, UTC):%Y-%m}-01"
        counts[month] += 1
        if live:
            form = "--format=%x00%at%x00%an"
            out = git(repository, "rev-list", "--no-commit-header", "--no-merges", form, sha, "--not", *live)
            for line in out.splitlines():
                _, authored, name = line.split("\0")
                if name.endswith("[bot]"):
                    continue
                if at < int(authored):
                    negative[month] += 1
                else:
                    leads[month].append(at - int(authored))
        live.append(sha)
    return {
        month: {
            "deployments": count,
            "n": len(leads[month]),
            "median": statistics.median(leads[month]) if leads[month] else None,
            "negative": negative[month],
        }
        for month, count in sorted(counts.items())
    }
