"""What is read of commits, over git, from real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from connectors.connector import Batch, Context, Quarantined
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import Loaded
from tests.connectors.git_reader import listed, of, read, records, seconds
from tests.histories import Upstream, imported


def test_a_real_history_is_read_whole(tmp_path: Path, cache: Path) -> None:
    history = imported(tmp_path / "sqlite-utils.git")
    items = read(cache, history)
    printed = listed(history, "log", "--all", "--format=%H|%P|%at|%ct")
    assert {
        "|".join((sha, " ".join(parents), str(seconds(authored_at)), str(seconds(committed_at))))
        for _, sha, parents, _, _, authored_at, committed_at, *_ in records(items, Commit)
    } == set(printed)
    form = "%(refname)|%(objectname)|%(creatordate:unix)"
    assert {
        f"refs/{'tags' if ref.kind == 'tag' else 'heads'}/{ref.name}|{ref.sha}|{seconds(ref.at)}"
        for ref in records(items, Ref)
    } == set(listed(history, "for-each-ref", f"--format={form}", "refs/heads", "refs/tags"))
    assert [repository.name for repository in records(items, Repository)] == ["sqlite-utils"]


def test_the_mirror_holds_commits_alone(tmp_path: Path, cache: Path) -> None:
    repository = tmp_path / "work"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    (repository / ".mailmap").write_text("Somebody <else@example.invalid> <ada@example.invalid>\n")
    subprocess.run(["git", "-C", repository, "add", "."], check=True)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")
    subprocess.run(["git", "-C", repository, *identity, "commit", "--quiet", "-m", "first"], check=True)
    (commit,) = records(read(cache, repository), Commit)
    assert commit.author == Context(cache, b"key").person("ada@example.invalid")
    (mirror,) = cache.iterdir()
    assert listed(mirror, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)") == ["commit"]


@pytest.mark.parametrize(
    ("subject", "kind", "number"),
    [
        ("Mend the parser (#12)", "change", 12),
        ("Merge pull request #7 from acme/topic", "change", 7),
        ("Merged PR 31: topic", "change", 31),
        ("Merged in topic (pull request #9)", "change", 9),
        ("See (#12) for more", "change", None),
        ('Revert "Mend the parser" (#13)', "revert", 13),
        ("revert(parser): mend", "revert", None),
        ("Reverted nothing", "change", None),
        ("fix: typo", "fix", None),
        ("Fix(parser)!: typo", "fix", None),
        ("hotfix: now", "fix", None),
        ("bugfix(ui): then", "fix", None),
        ("fixture: new", "change", None),
        ("", "change", None),
    ],
)
def test_kind_and_number_are_read_from_the_subject(
    upstream: Upstream, cache: Path, subject: str, kind: str, number: int | None
) -> None:
    sha = upstream.raw_commit(
        f"author A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\n{subject}\n"
    )
    commit = next(each for each in records(read(cache, upstream.path), Commit) if each.sha == sha)
    assert (commit.kind, commit.change_number) == (kind, number)


A, B = "a" * 40, "b" * 64


@pytest.mark.parametrize(
    ("body", "reverts", "picked_from"),
    [
        ("", None, None),
        (f"This reverts commit {A}.", A, None),
        (f"This reverts commit {A}, reversing\nchanges made to {B}.", A, None),
        (f"* Revert the parser\n\n  This reverts commit {A}.\n\nBecause\nof it.", A, None),
        (f"This reverts commit {A}.\n\nThis reverts commit {B}.", A, None),
        (f"Why\n\n(cherry picked from commit {A})", None, A),
        (
            f"(cherry picked from commit {A})\nSigned-off-by: A <a@x>\n(cherry picked from commit {B})",
            None,
            B,
        ),
        (f"This reverts commit {A}.\n\n(cherry picked from commit {B})", A, B),
        ("(cherry picked from commit 0a1b2c3)", None, "0a1b2c3"),
        ("This reverts commit 0a1b2c.", None, None),
        (f"This reverts commits {A} and {B}", None, None),
        (f"(cherry picked from commit {A}", None, None),
        (f"  \n\n\t\nThis reverts commit {A}\n\n\n\n", A, None),
    ],
)
def test_the_message_names_what_a_commit_reverts_and_where_it_was_picked(
    upstream: Upstream, cache: Path, body: str, reverts: str | None, picked_from: str | None
) -> None:
    head = "author A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\n"
    sha = upstream.raw_commit(f"{head}fix: it (#4)\n\n{body}\n")
    last = upstream.raw_commit(f"{head}the next")
    items = read(cache, upstream.path)
    commits = {commit.sha: commit for commit in records(items, Commit)}
    assert (commits[sha].reverts, commits[sha].picked_from) == (reverts, picked_from)
    assert (commits[sha].kind, commits[sha].change_number) == ("fix", 4)
    assert (commits[last].reverts, commits[last].picked_from, commits[last].folders) == (None, None, None)
    assert "Because" not in repr(items)


@pytest.mark.parametrize("size", [1, 7])
def test_where_gits_output_is_cut_does_not_matter(
    upstream: Upstream, cache: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    for body in ("", "\n\nbody", f"\n\nseveral\n\nparagraphs\n(cherry picked from commit {A})\n"):
        upstream.commit(f"change{body}")
    monkeypatch.setattr("connectors.git.cli._CHUNK", size)
    read_so = Loaded(read(cache, upstream.path)).records
    monkeypatch.undo()
    at_once = read(cache, upstream.path)
    assert read_so == Loaded(at_once).records
    assert len(records(at_once, Commit)) == 4


def test_what_an_older_version_read_is_read_again(upstream: Upstream, cache: Path) -> None:
    loaded = Loaded()
    read(cache, upstream.path, loaded=loaded)
    cursor = loaded.cursors[str(upstream.path)]
    assert isinstance(cursor, dict)
    assert cursor.pop("reads")
    again = read(cache, upstream.path, loaded=loaded)
    assert [commit.sha for commit in records(again, Commit)] == [upstream.tip("main")]
    assert not of(read(cache, upstream.path, loaded=loaded), Batch)


def test_a_merge_is_a_merge_and_keeps_the_order_of_its_parents(upstream: Upstream, cache: Path) -> None:
    first = upstream.tip("main")
    second = upstream.commit("aside", first, branch="topic")
    third = upstream.commit("another root", branch="other")
    merge = upstream.commit("Merge pull request #3 from acme/topic", first, second, third, branch="main")
    commits = {commit.sha: commit for commit in records(read(cache, upstream.path), Commit)}
    assert commits[merge].parents == (first, second, third)
    assert (commits[merge].kind, commits[merge].change_number) == ("merge", 3)
    assert commits[third].parents == ()


def test_people_are_hashes_and_bots_are_told(upstream: Upstream, cache: Path) -> None:
    authors = [
        "Ada <ADA@example.invalid>",
        "renovate[bot] <29139614+bot@example.invalid>",
        "[bot] b <b@x>",
    ]
    for author in authors:
        upstream.raw_commit(f"author {author} 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\nx\n")
    items = read(cache, upstream.path)
    commits = records(items, Commit)
    assert sum(commit.is_bot for commit in commits) == 1
    # The first commit's author is the same address in another case.
    assert len({commit.author for commit in commits}) == 3
    assert "example" not in repr(items)


@pytest.mark.parametrize(
    "date",
    ["99999999999999999999", "253402300800", "-5", "garbage", "9" * 5000],
    ids=lambda date: date[:9],
)
def test_a_date_no_calendar_holds_is_none_and_the_history_goes_on(
    upstream: Upstream, cache: Path, date: str
) -> None:
    first = upstream.tip("main")
    odd = upstream.raw_commit(f"author A <a@x> {date} +0000\ncommitter A <a@x> {date} +0000\n\nx\n")
    upstream.git("update-ref", "refs/tags/v1.0.0", odd)
    items = read(cache, upstream.path)
    commits = {commit.sha: commit for commit in records(items, Commit)}
    assert commits[odd].authored_at is None
    assert commits[odd].committed_at is None
    assert commits[odd].parents == (first,)
    assert {ref.at for ref in records(items, Ref)} == {None}


def test_names_may_hold_anything(upstream: Upstream, cache: Path) -> None:
    raw = (
        b"author \xff\xfe\r\x1b[2J <\xe9@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n"
        b"encoding ISO-8859-1\n\nfix: caf\xe9 \xe2\x80\xa8 (#4)\n"
    )
    sha = upstream.raw_commit(raw.decode("utf-8", "surrogateescape"))
    items = read(cache, upstream.path)
    commit = next(each for each in records(items, Commit) if each.sha == sha)
    assert (commit.kind, commit.change_number) == ("fix", 4)
    assert not of(items, Quarantined)


def test_a_sha256_repository_is_read(tmp_path: Path, cache: Path) -> None:
    upstream = Upstream(tmp_path / "new.git", "--object-format=sha256")
    sha = upstream.commit()
    assert [commit.sha for commit in records(read(cache, upstream.path), Commit)] == [sha]
    assert len(sha) == 64
