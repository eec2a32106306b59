"""git, read from real repositories: local ones, and over HTTP from git's own server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.connector import (
    Batch,
    Connector,
    Context,
    Covered,
    Item,
    Note,
    Problem,
    Quarantined,
    SourceError,
)
from connectors.git import GitConnector, GitOptions
from connectors.git.cli import Git, GitError
from connectors.git.locations import locate, shortest_names
from connectors.records import Commit, Ref, Repository
from tests.connectors.contract import ConnectorContract, Loaded, Tool
from tests.connectors.git_host import GitHost
from tests.histories import Upstream, imported

R = TypeVar("R", Commit, Ref, Repository)


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    made = Upstream(tmp_path / "acme" / "shop.git")
    made.commit("first")
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def connector(cache: Path, *repositories: object) -> GitConnector:
    return GitConnector("git", GitOptions(repositories=tuple(map(str, repositories))), Context(cache, b"key"))


def read(cache: Path, *repositories: object, loaded: Loaded | None = None) -> list[Item]:
    """What is new since `loaded`, which then holds it."""
    loaded = loaded or Loaded()
    items = list(connector(cache, *repositories).read(loaded.cursors))
    loaded.load(items)
    return items


def records(source: list[Item] | Loaded, kind: type[R]) -> list[R]:
    loaded = source if isinstance(source, Loaded) else Loaded(source)
    return [record for record in loaded.records.values() if isinstance(record, kind)]


def of(items: list[Item], kind: type) -> list[Item]:
    return [item for item in items if isinstance(item, kind)]


def only_problem(items: list[Item]) -> Problem:
    (problem,) = [item for item in items if isinstance(item, Problem)]
    return problem


def notes(items: list[Item]) -> list[str]:
    return [item.message for item in items if isinstance(item, Note)]


def listed(repository: Path, *arguments: str) -> list[str]:
    """Lines that git prints: what the connector is held against."""
    output = subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True, text=True)
    return output.stdout.splitlines()


class GitTool(Tool):
    """A repository behind HTTP basic authentication."""

    secret = "s3cr3t-t0k3n"

    def __init__(self, host: GitHost) -> None:
        self.host = host
        self.host.credentials = ("reader", self.secret)
        self.upstream = Upstream(host.folder / "shop.git")
        for number in range(3):
            self.upstream.commit(f"change {number}")
            self.upstream.tag(f"v1.0.{number}", message="a release")

    def connector(self, cache: Path) -> Connector:
        return connector(cache, self.host.url("shop.git", f"reader:{self.secret}"))

    def grow(self) -> None:
        self.upstream.commit("one more")
        self.upstream.tag("v1.0.2", message="moved", force=True)
        self.upstream.git("tag", "-d", "v1.0.0")

    def spoil(self) -> str:
        return self.upstream.raw_commit("committer Ada <ada@example.invalid> 1700000000 +0000\n\nno author\n")

    def refuse(self) -> None:
        self.host.credentials = ("reader", "another")


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, git_host: GitHost, monkeypatch: pytest.MonkeyPatch) -> Tool:
        monkeypatch.setattr("connectors.git.reading._BATCH_SIZE", 2)
        return GitTool(git_host)


class TestCommits:
    def test_a_real_history_is_read_whole(self, tmp_path: Path, cache: Path) -> None:
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

    def test_the_mirror_holds_commits_alone(self, tmp_path: Path, cache: Path) -> None:
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
        self, upstream: Upstream, cache: Path, subject: str, kind: str, number: int | None
    ) -> None:
        sha = upstream.raw_commit(
            f"author A <a@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\n{subject}\n"
        )
        commit = next(each for each in records(read(cache, upstream.path), Commit) if each.sha == sha)
        assert (commit.kind, commit.change_number) == (kind, number)

    def test_a_merge_is_a_merge_and_keeps_the_order_of_its_parents(
        self, upstream: Upstream, cache: Path
    ) -> None:
        first = upstream.tip("main")
        second = upstream.commit("aside", first, branch="topic")
        third = upstream.commit("another root", branch="other")
        merge = upstream.commit("Merge pull request #3 from acme/topic", first, second, third, branch="main")
        commits = {commit.sha: commit for commit in records(read(cache, upstream.path), Commit)}
        assert commits[merge].parents == (first, second, third)
        assert (commits[merge].kind, commits[merge].change_number) == ("merge", 3)
        assert commits[third].parents == ()

    def test_people_are_hashes_and_bots_are_told(self, upstream: Upstream, cache: Path) -> None:
        authors = [
            "Ada <ADA@example.invalid>",
            "renovate[bot] <29139614+bot@example.invalid>",
            "[bot] b <b@x>",
        ]
        for author in authors:
            upstream.raw_commit(
                f"author {author} 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n\nx\n"
            )
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
        self, upstream: Upstream, cache: Path, date: str
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

    def test_names_may_hold_anything(self, upstream: Upstream, cache: Path) -> None:
        raw = (
            b"author \xff\xfe\r\x1b[2J <\xe9@x> 1700000000 +0000\ncommitter A <a@x> 1700000000 +0000\n"
            b"encoding ISO-8859-1\n\nfix: caf\xe9 \xe2\x80\xa8 (#4)\n"
        )
        sha = upstream.raw_commit(raw.decode("utf-8", "surrogateescape"))
        items = read(cache, upstream.path)
        commit = next(each for each in records(items, Commit) if each.sha == sha)
        assert (commit.kind, commit.change_number) == ("fix", 4)
        assert not of(items, Quarantined)

    def test_a_sha256_repository_is_read(self, tmp_path: Path, cache: Path) -> None:
        upstream = Upstream(tmp_path / "new.git", "--object-format=sha256")
        sha = upstream.commit()
        assert [commit.sha for commit in records(read(cache, upstream.path), Commit)] == [sha]
        assert len(sha) == 64


class TestRefs:
    def test_tags_are_peeled_and_dated_by_the_outer_tagger(self, upstream: Upstream, cache: Path) -> None:
        sha = upstream.tip("main")
        upstream.tag("light")
        upstream.tag("annotated", message="x")
        annotated_at = upstream.seconds
        upstream.tag("nested", "annotated", message="x")
        nested_at = upstream.seconds
        anonymous = upstream.git(
            *("hash-object", "-t", "tag", "-w", "--literally", "--stdin"),
            stdin=f"object {sha}\ntype commit\ntag anonymous\n\nno tagger\n",
        )
        upstream.git("update-ref", "refs/tags/anonymous", anonymous)
        items = read(cache, upstream.path)
        committed_at = seconds(records(items, Commit)[0].committed_at)
        assert {ref.name: (ref.sha, seconds(ref.at)) for ref in records(items, Ref) if ref.kind == "tag"} == {
            "light": (sha, committed_at),
            "annotated": (sha, annotated_at),
            "nested": (sha, nested_at),
            "anonymous": (sha, committed_at),
        }

    def test_tags_on_trees_and_files_are_passed_over_with_a_note(
        self, upstream: Upstream, cache: Path
    ) -> None:
        file = upstream.git("hash-object", "-w", "--stdin", stdin="a key")
        aside = upstream.git("mktree", stdin=f"100644 blob {file}\taside\n")
        upstream.tree = upstream.git("mktree", stdin=f"100644 blob {file}\tkey\n")
        upstream.commit("with a tree that the filter leaves out")
        for name, target in (("file", file), ("tree", aside), ("v9.9.9", upstream.tree)):
            upstream.tag(name, target)
            upstream.tag(f"{name}-annotated", target, message="x")
        upstream.tag("v1.0.0")
        loaded = Loaded()
        items = read(cache, upstream.path, loaded=loaded)
        assert {ref.name for ref in records(items, Ref)} == {"main", "v1.0.0"}
        (note,) = notes(items)
        assert note.startswith("tags on no commit, passed over: file, file-annotated, tree")
        assert not of(read(cache, upstream.path, loaded=loaded), Batch)
        upstream.commit("more")
        assert len(records(read(cache, upstream.path, loaded=loaded), Commit)) == 1

    def test_moved_and_deleted_tags_are_followed_and_told(self, upstream: Upstream, cache: Path) -> None:
        upstream.tag("v1.0.0")
        upstream.tag("v1.1.0")
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        second = upstream.commit("second")
        upstream.tag("v1.0.0", force=True)
        upstream.git("tag", "-d", "v1.1.0")
        items = read(cache, upstream.path, loaded=loaded)
        assert notes(items) == ["tags moved: v1.0.0", "tags deleted: v1.1.0"]
        assert {ref.name: ref.sha for ref in records(loaded, Ref)} == {"main": second, "v1.0.0": second}

    def test_a_force_push_and_a_deleted_branch_take_no_commit_away(
        self, upstream: Upstream, cache: Path
    ) -> None:
        base = upstream.tip("main")
        lost = [upstream.commit("will be lost"), upstream.commit("aside", branch="topic")]
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        kept = upstream.commit("instead", base)
        upstream.git("update-ref", "-d", "refs/heads/topic")
        # A branch where a folder of branches was.
        upstream.commit("deeper", base, branch="topic/deeper")
        upstream.git("gc", "--quiet", "--prune=now")
        items = read(cache, upstream.path, loaded=loaded)
        assert not of(items, Problem)
        assert {ref.name: ref.sha for ref in records(loaded, Ref)}["main"] == kept
        assert {*lost, base, kept} < {commit.sha for commit in records(loaded, Commit)}

    def test_a_renamed_default_branch_is_followed(self, upstream: Upstream, cache: Path) -> None:
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        assert records(loaded, Repository)[0].default_branch == "main"
        upstream.git("branch", "-m", "main", "trunk")
        read(cache, upstream.path, loaded=loaded)
        assert records(loaded, Repository)[0].default_branch == "trunk"
        assert [ref.name for ref in records(loaded, Ref)] == ["trunk"]

    def test_a_detached_head_is_read(self, upstream: Upstream, cache: Path) -> None:
        aside = upstream.commit("aside", upstream.tip("main"), branch=None)
        upstream.git("update-ref", "--no-deref", "HEAD", aside)
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        assert aside in {commit.sha for commit in records(loaded, Commit)}
        assert records(loaded, Repository)[0].default_branch is None
        assert not of(read(cache, upstream.path, loaded=loaded), Batch)
        upstream.git("symbolic-ref", "HEAD", "refs/heads/main")
        read(cache, upstream.path, loaded=loaded)
        assert records(loaded, Repository)[0].default_branch == "main"

    def test_what_hosts_keep_beside_branches_and_tags_is_left_alone(
        self, upstream: Upstream, cache: Path
    ) -> None:
        unmerged = upstream.commit("a fork's", upstream.tip("main"), branch=None)
        upstream.git("update-ref", "refs/pull/1/head", unmerged)
        items = read(cache, upstream.path)
        assert unmerged not in {commit.sha for commit in records(items, Commit)}
        assert [ref.name for ref in records(items, Ref)] == ["main"]


class TestLocations:
    def test_every_way_to_name_a_repository(
        self, upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        work = tmp_path / "acme" / "work"
        listed(tmp_path, "clone", "--quiet", str(upstream.path), str(work))
        linked = tmp_path / "linked"
        listed(work, "worktree", "add", "--quiet", "-b", "topic", str(linked))
        (tmp_path / "acme" / "notes").mkdir()
        entries = [
            *("acme/*", "~/acme/shop.git", tmp_path / "acme/../acme/shop.git", f"file://{upstream.path}"),
            *(work, work / ".git", linked),
        ]
        items = read(cache, *entries)
        assert not of(items, Problem)
        assert {(each.id, each.name) for each in records(items, Repository)} == {
            (str(upstream.path), "shop"),
            (str(work), "work"),
        }
        assert len(of(items, Covered)) == 2

    @pytest.mark.usefixtures("upstream")
    def test_what_is_not_there_is_a_problem_each_and_the_rest_goes_on(
        self, cache: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "acme" / "broken.git").mkdir()
        entries = [tmp_path / "gone", tmp_path / "acme", tmp_path / "none/*.git", f"{tmp_path}/acme/*.git"]
        problems = [item for item in read(cache, *entries) if isinstance(item, Problem)]
        assert {(Path(each.scope).name, each.message) for each in problems} == {
            ("gone", "no such folder"),
            ("acme", "not a git repository"),
            ("*.git", "no git repository matches"),
            ("broken.git", "not a git repository"),
        }
        assert all(each.mend for each in problems)
        assert len(records(read(cache, *entries), Commit)) == 1

    def test_names_are_the_shortest_that_differ(self) -> None:
        ids = ["h/a/api", "h/b/api", "/srv/web.git", "h/x/web/core", "h/y/core", "/z/core.git", "/z/core"]
        assert shortest_names(ids) == {
            "h/a/api": "a/api",
            "h/b/api": "b/api",
            "/srv/web.git": "web",
            "h/x/web/core": "web/core",
            "h/y/core": "y/core",
            "/z/core.git": "/z/core.git",
            "/z/core": "/z/core",
        }

    def test_a_name_that_no_longer_differs_is_renamed(
        self, upstream: Upstream, cache: Path, tmp_path: Path
    ) -> None:
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        Upstream(tmp_path / "other" / "shop.git").commit()
        read(cache, f"{tmp_path}/*/shop.git", loaded=loaded)
        assert {each.name for each in records(loaded, Repository)} == {"acme/shop", "other/shop"}

    @pytest.mark.parametrize(
        ("entry", "id_", "url"),
        [
            ("https://u:p@Host.example:443/a/b.git/", "host.example/a/b", "https://host.example/a/b"),
            ("http://host.example:8080/b", "host.example:8080/b", "http://host.example:8080/b"),
            ("git@host.example:a/b.git", "host.example/a/b", "https://host.example/a/b"),
            ("ssh://git@host.example/a/b.git", "host.example/a/b", "https://host.example/a/b"),
            ("ssh://git@host.example:7999/a/b", "host.example:7999/a/b", "ssh://host.example:7999/a/b"),
            ("git://host.example/b.git", "host.example/b", "git://host.example/b.git"),
        ],
    )
    def test_ids_and_urls_of_remotes(self, entry: str, id_: str, url: str) -> None:
        ((location,), problems) = locate([entry, entry], Git())
        assert (location.id, location.url, location.name) == (id_, url, "b")
        assert not problems

    @pytest.mark.parametrize(
        "entry",
        [
            "",
            "  ",
            "ext::sh -c touch x",
            "ftp://h/x",
            "https:///x",
            "https://u:s3c/ret@h/x",
            "-oProxyCommand=x:y",
        ],
    )
    def test_an_entry_nothing_can_be_made_of_is_refused_without_its_secret(self, entry: str) -> None:
        with pytest.raises(ValidationError) as caught:
            GitOptions(repositories=(entry,))
        assert "s3c" not in str(caught.value)
        assert "ret@" not in str(caught.value)


class TestTrouble:
    def test_an_empty_repository_is_noted(self, tmp_path: Path, cache: Path) -> None:
        upstream = Upstream(tmp_path / "empty.git")
        loaded = Loaded()
        items = read(cache, upstream.path, loaded=loaded)
        assert notes(items) == ["the repository is empty"]
        assert [(each.name, each.default_branch) for each in records(items, Repository)] == [("empty", None)]
        again = read(cache, upstream.path, loaded=loaded)
        assert not of(again, Batch)
        assert of(again, Covered)
        upstream.commit()
        read(cache, upstream.path, loaded=loaded)
        assert len(records(loaded, Commit)) == 1
        assert records(loaded, Repository)[0].default_branch == "main"
        upstream.git("update-ref", "-d", "refs/heads/main")
        read(cache, upstream.path, loaded=loaded)
        assert not records(loaded, Ref)

    @pytest.mark.parametrize("is_remote", [False, True])
    def test_a_shallow_repository_is_refused(self, git_host: GitHost, cache: Path, is_remote: bool) -> None:
        whole = Upstream(git_host.folder / "whole.git")
        for _ in range(3):
            whole.commit()
        shallow = git_host.folder / "shallow.git"
        listed(
            git_host.folder, "clone", "--quiet", "--bare", "--depth=2", f"file://{whole.path}", str(shallow)
        )
        items = read(cache, whole.path, git_host.url("shallow.git") if is_remote else shallow)
        problem = only_problem(items)
        assert "shallow" in problem.message
        assert "git fetch --unshallow" in problem.mend
        assert {each.name for each in records(items, Repository)} == {"whole"}
        assert {item.scope for item in items if isinstance(item, Covered)} == {str(whole.path)}
        assert len(list(cache.iterdir())) == 1

    @pytest.mark.parametrize("is_remote", [False, True])
    def test_a_corrupt_repository_is_refused_in_gits_words(
        self, git_host: GitHost, cache: Path, tmp_path: Path, is_remote: bool
    ) -> None:
        upstream = Upstream(git_host.folder / "shop.git")
        first = upstream.commit()
        upstream.commit()
        lost = upstream.path / "objects" / first[:2] / first[2:]
        lost.chmod(0o600)
        lost.write_bytes(b"nonsense")
        well = Upstream(tmp_path / "well.git")
        well.commit()
        items = read(cache, git_host.url("shop.git") if is_remote else upstream.path, well.path)
        problem = only_problem(items)
        assert Path(problem.scope).stem == "shop"
        assert first in problem.message
        assert "git fsck" in problem.mend
        assert not problem.is_transient
        assert {each.name for each in records(items, Repository)} == {"well"}
        assert {item.scope for item in items if isinstance(item, Covered)} == {str(well.path)}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    def test_a_folder_of_another_owner_is_refused(self, upstream: Upstream, cache: Path) -> None:
        for path in [upstream.path, *upstream.path.rglob("*")]:
            os.chown(path, 12345, 12345)
        problem = only_problem(read(cache, upstream.path))
        assert "dubious ownership" in problem.message
        assert "safe.directory" in problem.mend

    @pytest.mark.parametrize("damage", ["locks", "objects", "config", "half"])
    def test_a_damaged_mirror_is_made_anew(self, upstream: Upstream, cache: Path, damage: str) -> None:
        for _ in range(3):
            upstream.commit()
        loaded = Loaded()
        read(cache, upstream.path, loaded=loaded)
        (mirror,) = cache.iterdir()
        match damage:
            case "locks":
                (mirror / "packed-refs.lock").touch()
                (mirror / "refs/heads/main.lock").touch()
            case "objects":
                for pack in (mirror / "objects/pack").iterdir():
                    pack.unlink()
            case "config":
                (mirror / "config").write_bytes(b"\0\0\0")
            case "half":
                shutil.rmtree(mirror / "refs")
        (cache / "unfinished-killed").mkdir()
        upstream.commit("after")
        items = read(cache, upstream.path, loaded=loaded)
        assert not of(items, Problem)
        assert loaded.records == Loaded(read(cache, upstream.path)).records
        assert list(cache.iterdir()) == [mirror]

    def test_a_mirror_with_a_hole_in_its_history_is_made_anew(self, upstream: Upstream, cache: Path) -> None:
        first = upstream.tip("main")
        for _ in range(2):
            upstream.commit()
        read(cache, upstream.path)
        (mirror,) = cache.iterdir()
        (pack,) = (mirror / "objects/pack").glob("*.pack")
        aside = pack.rename(mirror / "aside.pack")
        for file in (mirror / "objects/pack").iterdir():
            file.unlink()
        with aside.open("rb") as content:
            subprocess.run(["git", "-C", mirror, "unpack-objects", "-q"], stdin=content, check=True)
        (mirror / "objects" / first[:2] / first[2:]).unlink()
        items = read(cache, upstream.path)
        assert not of(items, Problem)
        assert len(records(items, Commit)) == 3

    def test_a_failing_host_is_tried_again(self, git_host: GitHost, cache: Path) -> None:
        Upstream(git_host.folder / "shop.git").commit()
        git_host.failures = 2
        assert len(records(read(cache, git_host.url("shop.git")), Commit)) == 1
        git_host.failures = 1000
        problem = only_problem(read(cache, git_host.url("shop.git")))
        assert problem.is_transient
        assert "503" in problem.message

    @pytest.mark.parametrize(
        ("credentials", "name", "words"),
        [(("a", "b"), "shop.git", "could not read Username"), (None, "gone.git", "not found")],
    )
    def test_a_refusal_is_not_tried_again(
        self, git_host: GitHost, cache: Path, credentials: tuple[str, str] | None, name: str, words: str
    ) -> None:
        Upstream(git_host.folder / "shop.git").commit()
        git_host.credentials = credentials
        problem = only_problem(read(cache, git_host.url(name)))
        assert words in problem.message
        assert not problem.is_transient
        assert len(git_host.requests) <= 2

    def test_a_silent_host_is_given_up(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("connectors.git.mirror._ANSWER_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            problem = only_problem(read(cache, f"http://127.0.0.1:{silent.getsockname()[1]}/shop.git"))
        assert problem.message == "no answer within 0.2 seconds"
        assert problem.is_transient

    def test_an_unreachable_host_is_a_problem_of_its_own(self, upstream: Upstream, cache: Path) -> None:
        items = read(cache, "http://127.0.0.1:9/shop.git", upstream.path)
        problem = only_problem(items)
        assert problem.is_transient
        assert len(records(items, Commit)) == 1
        (told,) = connector(cache, "http://127.0.0.1:9/shop.git").check()
        assert isinstance(told, Problem)

    def test_without_git_the_whole_source_fails(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(cache))
        with pytest.raises(SourceError, match="git is not installed"):
            read(cache, "anything")

    def test_the_surroundings_do_not_lead_git_astray(
        self, upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = Upstream(tmp_path / "other.git")
        other.commit()
        config = tmp_path / "gitconfig"
        config.write_text(
            "[log]\n showSignature = true\n mailmap = true\n[fetch]\n fsckObjects = true\n"
            "[format]\n pretty = oneline\n[color]\n ui = always\n[core]\n hooksPath = /nowhere\n"
        )
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        monkeypatch.setenv("GIT_DIR", str(other.path))
        monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / "objects"))
        monkeypatch.setenv("GIT_TRACE", "1")
        untouched = sorted(other.path.rglob("*"))
        (commit,) = records(read(cache, upstream.path), Commit)
        assert sorted(other.path.rglob("*")) == untouched
        monkeypatch.undo()
        assert commit.sha == upstream.tip("main")

    def test_stopping_early_ends_what_is_under_way(self, upstream: Upstream, cache: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/shop.git"
            items = connector(cache, upstream.path, url).read({})
            assert isinstance(next(items), Batch)
            items.close()  # type: ignore[attr-defined]
        commands = [child.cmdline() for child in psutil.Process().children(recursive=True)]
        assert not [command for command in commands if "ls-remote" in command]

    def test_a_secret_that_a_host_says_back_is_not_passed_on(self) -> None:
        error = GitError("remote: bad token s3cr3t\nfatal: https://a:s3cr3t@host.example/x", ["s3cr3t"])
        assert str(error) == "bad token ***; https://host.example/x"


class TestServers:
    def test_ssh_is_spoken_by_the_command_of_the_environment(
        self, upstream: Upstream, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ssh = tmp_path / "ssh"
        ssh.write_text('#!/bin/sh\nif [ "$1" != git@host.example ]; then exit 1; fi\nexec sh -c "$2"\n')
        ssh.chmod(0o700)
        monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
        monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
        items = read(cache, f"git@host.example:{upstream.path}")
        assert len(records(items, Commit)) == 1
        assert [each.id for each in records(items, Repository)] == [f"host.example{upstream.path}"[:-4]]

    def test_a_server_without_filters_is_read_all_the_same(self, git_host: GitHost, cache: Path) -> None:
        upstream = Upstream(git_host.folder / "old.git")
        upstream.git("config", "uploadpack.allowFilter", "false")
        upstream.commit()
        loaded = Loaded()
        assert len(records(read(cache, git_host.url("old.git"), loaded=loaded), Commit)) == 1
        upstream.commit()
        read(cache, git_host.url("old.git"), loaded=loaded)
        assert len(records(loaded, Commit)) == 2

    def test_nothing_new_costs_one_question(self, git_host: GitHost, cache: Path) -> None:
        Upstream(git_host.folder / "shop.git").commit()
        loaded = Loaded()
        read(cache, git_host.url("shop.git"), loaded=loaded)
        git_host.requests.clear()
        read(cache, git_host.url("shop.git"), loaded=loaded)
        assert git_host.requests == [
            "/shop.git/info/refs?service=git-upload-pack",
            "/shop.git/git-upload-pack",
        ]

    def test_credentials_of_the_url_are_used_and_kept_off_the_disk(
        self, git_host: GitHost, cache: Path
    ) -> None:
        git_host.credentials = ("reader", "s3cr@t")
        Upstream(git_host.folder / "shop.git").commit()
        (repository,) = records(read(cache, git_host.url("shop.git", "reader:s3cr%40t")), Repository)
        assert repository.id == f"127.0.0.1:{git_host.server_port}/shop"
        assert repository.url == git_host.url("shop")
        assert not [path for path in cache.rglob("*") if path.is_file() and b"s3cr" in path.read_bytes()]

    def test_a_token_alone_is_a_username(self, git_host: GitHost, cache: Path) -> None:
        git_host.credentials = ("t0k3n", "")
        Upstream(git_host.folder / "shop.git").commit()
        assert len(records(read(cache, git_host.url("shop.git", "t0k3n")), Commit)) == 1
        git_host.credentials = ("another", "")
        assert "t0k3n" not in repr(read(cache, git_host.url("shop.git", "t0k3n")))


PUSHES = st.lists(
    st.tuples(
        st.sampled_from(["commit", "merge", "force", "delete", "tag", "untag", "rename"]),
        st.sampled_from(["main", "topic", "release/1"]),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(rounds=st.lists(PUSHES, min_size=2, max_size=4))
def test_reading_after_every_round_of_pushes_ends_as_reading_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, str, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("pushes")
    upstream = Upstream(folder / "shop.git")
    shas = [upstream.commit()]
    loaded = Loaded()
    for number, pushes in enumerate(rounds):
        for push in pushes:
            _push(upstream, shas, *push)
        if number % 2:
            # The next mirror lacks what was force-pushed away, though the cursor names it.
            shutil.rmtree(folder / "cache", ignore_errors=True)
        assert not of(read(folder / "cache", upstream.path, loaded=loaded), Problem)
    fresh = Loaded(read(folder / "fresh", upstream.path))
    assert {*records(loaded, Ref)} == {*records(fresh, Ref)}
    assert records(loaded, Repository) == records(fresh, Repository)
    assert {*records(fresh, Commit)} <= {*records(loaded, Commit)}
    assert {commit.sha for commit in records(fresh, Commit)} == {*listed(upstream.path, "rev-list", "--all")}
    assert loaded.cursors == fresh.cursors


def _push(upstream: Upstream, shas: list[str], what: str, branch: str, number: int) -> None:
    other, tip = shas[number % len(shas)], upstream.tip(branch)
    match what:
        case "commit":
            shas.append(upstream.commit(f"change {number}", branch=branch))
        case "merge" if tip and tip != other:
            shas.append(upstream.commit(f"merge {number}", tip, other, branch=branch))
        case "force":
            upstream.git("update-ref", f"refs/heads/{branch}", other)
        case "delete":
            upstream.git("update-ref", "-d", f"refs/heads/{branch}")
        case "tag":
            upstream.tag(f"v1.0.{number % 3}", other, message="x" if number % 2 else None, force=True)
        case "untag":
            upstream.git("update-ref", "-d", f"refs/tags/v1.0.{number % 3}")
        case "rename":
            upstream.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")


def seconds(at: datetime | None) -> int | None:
    return None if at is None else int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
