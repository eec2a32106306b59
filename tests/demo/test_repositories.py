"""The organisation's repositories, asked by git itself."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo import repositories
from demo.history import History
from demo.organisation import Organisation, organisation
from demo.world import Person, PullRequest, Repository

END = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def made() -> Organisation:
    return organisation(7, END, scale=0.1)


@pytest.fixture(scope="module")
def folder(made: Organisation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "git"
    assert repositories.write(made.histories, folder)
    return folder


def git(folder: Path, name: str, *arguments: str, text: str | None = None) -> str:
    command = ["git", "-C", str(folder / f"{name}.git"), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def full(made: Organisation) -> list[Repository]:
    return [one for one in made.world.repositories.values() if not one.is_empty]


def busiest(made: Organisation, method: str) -> Repository:
    """The repository with the most merges of that kind, told by its history."""

    def merges(one: Repository) -> int:
        kinds = {"squash": _is_squash, "merge": _is_merge, "rebase": _is_rebase}
        content = made.histories[one.name].objects
        return sum(
            kinds[method](content[change.merge_sha][1].decode(), change)
            for change in one.pull_requests
            if change.merge_sha
        )

    found = max(full(made), key=merges)
    assert merges(found) > 2
    return found


def _is_squash(commit: str, change: PullRequest) -> bool:
    return f"(#{change.number})" in commit


def _is_merge(commit: str, _: PullRequest) -> bool:
    return commit.count("\nparent ") > 1


def _is_rebase(commit: str, change: PullRequest) -> bool:
    return not _is_squash(commit, change) and not _is_merge(commit, change)


def test_git_finds_nothing_to_complain_of(made: Organisation, folder: Path) -> None:
    for repository in [*full(made)[::25], made.world.repositories["commerce"]]:
        assert git(folder, repository.name, "fsck", "--strict", "--full", "--unreachable") == ""


def test_every_commit_that_a_tool_names_is_there(made: Organisation, folder: Path) -> None:
    builds = [(build.remote_url, build.sha) for job in made.world.jenkins for build in job.builds]
    for repository in full(made):
        named = {one.head_sha for one in repository.pull_requests}
        named |= {one.merge_sha for one in repository.pull_requests if one.merge_sha}
        named |= {commit.sha for one in repository.pull_requests for commit in one.commits}
        named |= {one.sha for one in repository.deployments} | {one.sha for one in repository.runs}
        named |= {one.sha for one in repository.releases}
        named |= {
            sha
            for url, sha in builds
            if url.endswith((f"/{repository.name}.git", f"/old-{repository.name}.git"))
        }
        if named:
            kinds = git(
                folder, repository.name, "cat-file", "--batch-check=%(objecttype)", text="\n".join(named)
            )
            assert set(kinds.split()) == {"commit"}


def test_the_files_at_head_are_those_that_the_host_shows(made: Organisation, folder: Path) -> None:
    for repository in [*full(made)[::9], made.world.repositories["commerce"]]:
        paths = git(folder, repository.name, "ls-tree", "-r", "--name-only", "HEAD").split("\n")[:-1]
        evidence = {path for path in paths if path.rpartition("/")[2] not in {"README.md", "source.txt"}}
        assert evidence == set(repository.files)
        for path, text in repository.files.items():
            assert git(folder, repository.name, "show", f"HEAD:{path}") == text
    assert (
        git(folder, full(made)[0].name, "symbolic-ref", "--short", "HEAD").strip()
        == full(made)[0].default_branch
    )


def test_commits_of_a_pull_request_are_its_authors(made: Organisation, folder: Path) -> None:
    repository = made.world.repositories["commerce"]
    for one in repository.pull_requests[::20]:
        for commit in one.commits:
            said = git(folder, "commerce", "show", "-s", "--format=%an%x00%ae%x00%at%x00%s", commit.sha)
            name, mail, at, subject = said.strip("\n").split("\0")
            assert (name, mail, subject) == (commit.author.name, commit.author.email, commit.subject)
            assert int(at) == commit.authored_at.timestamp()
        assert git(folder, "commerce", "rev-parse", f"refs/pull/{one.number}/head").strip() == one.head_sha
        parents = [git(folder, "commerce", "rev-parse", f"{commit.sha}^").strip() for commit in one.commits]
        assert parents[1:] == [commit.sha for commit in one.commits[:-1]]


@pytest.mark.parametrize("method", ["squash", "merge", "rebase"])
def test_merges_leave_the_shape_of_their_kind(made: Organisation, folder: Path, method: str) -> None:
    repository = busiest(made, method)
    name = repository.name
    first_parents = git(folder, name, "rev-list", "--first-parent", "HEAD").split()
    for one in [one for one in repository.pull_requests if one.merge_sha]:
        said = git(folder, name, "show", "-s", "--format=%P%x00%s%x00%at%x00%ct", str(one.merge_sha))
        parents, subject, authored_at, committed_at = said.strip("\n").split("\0")
        assert one.merge_sha in first_parents
        assert one.merged_at is not None
        assert int(committed_at) == one.merged_at.timestamp()
        if method == "squash":
            assert subject == f"{one.title} (#{one.number})"
            assert len(parents.split()) == 1
        elif method == "merge":
            assert subject.startswith(f"Merge pull request #{one.number} from demo-org/")
            assert parents.split()[1] == one.head_sha
        else:
            assert subject == one.commits[-1].subject
            assert int(authored_at) == one.commits[-1].authored_at.timestamp()
            last = first_parents.index(str(one.merge_sha))
            landed = first_parents[last : last + len(one.commits)]
            times = git(folder, name, "show", "-s", "--format=%at", *landed).split()
            assert [*map(int, times)][::-1] == [commit.authored_at.timestamp() for commit in one.commits]


def test_branches_and_tags_are_those_in_use(made: Organisation, folder: Path) -> None:
    tags = 0
    for repository in full(made):
        listed = git(
            folder, repository.name, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)"
        )
        refs = {line.split()[0]: line.split()[-1] for line in listed.splitlines()}
        branches = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
        still_open = {one.head_ref for one in repository.pull_requests if one.closed_at is None}
        assert branches == {repository.default_branch} | still_open
        for one in repository.releases:
            assert refs[f"refs/tags/{one.tag}"] == one.sha
            tags += 1
    assert tags > 50
    kinds = {content[0] for history in made.histories.values() for content in history.objects.values()}
    assert kinds == {"blob", "commit", "tag", "tree"}


def test_a_change_in_the_monorepo_touches_its_service_alone(made: Organisation, folder: Path) -> None:
    (service, *_) = [one for one in made.world.components if one.source_path]
    workflow = f".github/workflows/{service.name}.yml"
    runs = {run.sha for run in made.world.repositories["commerce"].runs if run.workflow == workflow}
    pushed = [
        one
        for one in made.world.repositories["commerce"].pull_requests
        if one.head_sha in runs and len(one.commits) == 1
    ]
    assert pushed
    for one in pushed:
        changed = git(folder, "commerce", "diff-tree", "--no-commit-id", "--name-only", "-r", one.head_sha)
        assert f"{service.source_path}/source.txt" in changed.split()
        assert len([path for path in changed.split() if path.endswith("source.txt")]) <= 2


def test_a_clone_without_trees_can_be_made(made: Organisation, folder: Path, tmp_path: Path) -> None:
    name = full(made)[3].name
    url = (folder / f"{name}.git").as_uri()
    command = ["git", "clone", "--quiet", "--mirror", "--filter=tree:0", url, str(tmp_path / "clone.git")]
    subprocess.run(command, check=True, capture_output=True)
    counted = ["git", "-C", str(tmp_path / "clone.git"), "rev-list", "--all", "--count"]
    count = int(subprocess.run(counted, check=True, capture_output=True).stdout)
    assert count == int(git(folder, name, "rev-list", "--all", "--count")) > 5


def test_folders_are_sorted_as_git_sorts_them(tmp_path: Path) -> None:
    history = History("main")
    files = {"a/x": "1", "a.txt": "2", "a-b": "3", "a0": "4", "a/b/c": "5"}
    tree = history.folder(history.tree(files))
    person = Person("quin", "Quin Lorn", "quin@demo.example")
    history.refs["refs/heads/main"] = history.commit(tree, (), person, 1_700_000_000, "Begin")
    assert repositories.write({"sorted": history}, tmp_path / "git")
    assert git(tmp_path / "git", "sorted", "fsck", "--strict", "--full") == ""
    listed = git(tmp_path / "git", "sorted", "ls-tree", "-r", "--name-only", "HEAD")
    assert set(listed.split()) == files.keys()


def test_an_empty_repository_is_one_without_a_commit(made: Organisation, folder: Path) -> None:
    (empty,) = [one for one in made.world.repositories.values() if one.is_empty]
    assert git(folder, empty.name, "for-each-ref") == ""
    assert git(folder, empty.name, "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_what_is_complete_is_kept_and_what_is_not_is_made_anew(tmp_path: Path) -> None:
    first = organisation(1, END, scale=0.01).histories
    few = {name: first[name] for name in list(first)[:6]}
    folder = tmp_path / "git"
    assert repositories.write(few, folder)
    (folder / "beside").touch()
    assert not repositories.write(few, folder)
    assert (folder / "beside").exists()
    (folder / "complete").unlink()
    assert repositories.write(few, folder)
    assert not (folder / "beside").exists()
    other = organisation(2, END, scale=0.01).histories
    assert repositories.write({name: other[name] for name in list(other)[:6]}, folder)
