"""What stands on a page that has no figures, or figures that need a word of caution."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import streamlit as st

from dashboards import queries, words
from dashboards.roles import Role
from dashboards.view import View
from pipelines.home import Home
from pipelines.status import STALE_AFTER, Status, read
from pipelines.warehouse import WarehouseError, published


def unpublished(home: Home, status: Status) -> None:
    """Nothing is published yet: say what is going on or what to type, and open by itself when there is."""
    if status.syncing_since:
        st.title("Reading your history")
        st.info(
            "The first sync is under way. The figures appear here by themselves as soon as they are ready.",
            icon=":material/sync:",
        )
        st.caption("Repositories are cloned once; later syncs only fetch what is new.")
    else:
        st.title("Nothing has been read yet")
        st.markdown("Cairn shows figures once it has read your repositories. In a terminal, type:")
        st.code("cairn sync", language=None, wrap_lines=True)
        st.caption(
            f"Data is expected in `{home.root}`. If it is elsewhere, set `CAIRN_HOME` and start again."
        )
    problems(status)
    _watch(home, None, is_syncing=status.syncing_since is not None)


def unreadable(error: Exception) -> None:
    """The snapshot is there and cannot be read."""
    st.title("The figures cannot be read")
    said = str(error).partition("\n")[0]
    st.error(words.plain(said), icon=":material/error:")
    st.markdown("A new sync publishes them afresh; what was read before is kept:")
    st.code("cairn sync", language=None, wrap_lines=True)


def no_access(title: str, readers: Collection[Role]) -> None:
    """A page of people with other roles, whoever named it."""
    st.title("This page is not for your role")
    who = " or ".join(f"**{role}**" for role in sorted(readers))
    st.info(
        f"{title} is for people with the role {who}. The pages you can read are at the side.",
        icon=":material/lock:",
    )


def signed_in(roles: Collection[Role]) -> None:
    """What somebody is here, and the way out."""
    who = ", ".join(sorted(roles))
    # A link of Streamlit's own would open a tab.
    st.sidebar.html(f'<p>Signed in: {who} · <a href="/sign-out" style="color: inherit">Sign out</a></p>')


def banners(home: Home, snapshot_id: str, status: Status, read_until: datetime) -> None:
    """What to know before trusting the page: a sync under way, old data, sources in trouble."""
    if status.syncing_since:
        st.info(
            "A sync is under way. These figures are from before it; newer ones replace them by themselves.",
            icon=":material/sync:",
        )
        _watch(home, snapshot_id, is_syncing=True)
    age = datetime.now(UTC) - read_until
    if age > STALE_AFTER:
        old = words.duration(age.total_seconds())
        st.warning(
            f"**This data is {old} old**: the sources were last read completely on"
            f" {words.day(read_until)} at {read_until:%H:%M}. Run `cairn sync` or `cairn doctor`.",
            icon=":material/schedule:",
        )
    problems(status)


def problems(status: Status) -> None:
    """Every source, or part of one, that could not be read, with the mend; notes stay in `cairn doctor`."""
    for name, source in status.sources.items():
        told = [*([source.error] if source.error else []), *source.problems]
        if not told:
            continue
        known = " Figures shown rest on what was read before." if source.succeeded_at else ""
        lines = [f"**Source {words.plain(name)} could not be read completely.**{known}"]
        lines += [
            f"- {words.plain(item.scope)}: {words.plain(item.message)} — {words.plain(item.mend)}"
            for item in told[:5]
        ]
        if len(told) > 5:
            lines.append(f"- and {len(told) - 5} more: see `cairn doctor`")
        st.error("\n\n".join([lines[0], "\n".join(lines[1:])]), icon=":material/error:")


def no_deployments(view_source: queries.Frames) -> None:
    """Something was read, and none of it is a deployment: say what was, and how to change that."""
    covered = queries.coverage(view_source)
    commits, tags = int(covered["commits"].sum()), int(covered["tags"].sum())
    st.header("No deployments found")
    if covered.empty or commits + tags == 0:
        st.markdown("The configured sources hold no commits yet. `cairn doctor` says which they are.")
        return
    where = "1 repository" if len(covered) == 1 else f"{len(covered):,} repositories"
    said = f"{words.count(commits, 'commit')} and {words.count(tags, 'tag')} were read from {where}"
    if undated := int(covered["release_tags"].sum()):
        st.markdown(
            f"{said}. {words.count(undated, 'tag')} could be a release, but none carries a usable date."
        )
    elif tags:
        patterns = ", ".join(map(words.code, sorted(covered["releases"].dropna().unique())))
        st.markdown(
            f"{said}, and **no tag matches the `releases` pattern** ({patterns}): nothing to measure yet."
        )
    else:
        st.markdown(f"{said}. With git alone **a deployment is a release tag**, and there is none yet.")
    st.markdown("If your releases are tagged differently, say how in `cairn.yaml`, then run `cairn sync`:")
    st.code(
        "organisation: Acme\n"
        "sources:\n"
        "  - kind: git\n"
        '    repositories: ["/path/to/repository"]\n'
        "    releases: '^release-\\d+$'   # a regular expression on the tag's name\n",
        language=None,
        wrap_lines=True,
    )
    st.dataframe(
        covered[["repository", "commits", "tags", "release_tags"]],
        hide_index=True,
        column_config={
            "repository": "Repository",
            "commits": "Commits",
            "tags": "Tags",
            "release_tags": "Release tags",
        },
    )


def nothing_in(view: View) -> None:
    """The scope has no figure in the period shown: say why, and when there was one."""
    who, when = f"**{words.plain(view.scope.label)}**", words.span(view.since, view.until)
    if queries.counts(view.source, view.scope, view.since, view.until)["deployments"]:
        said = f"{who} shipped no change that counts in lead time in {when}."
    elif last := queries.latest_deployment(view.source, view.scope):
        said = (
            f"{who} had no deployment in {when}."
            f" The latest was on {words.day(last)}: choose the period *All* to see it."
        )
    else:
        said = f"{who} has no deployment that is known of."
    st.info(said, icon=":material/search_off:")


def without(view: View, metrics: tuple[queries.Metric, ...], noun: str, mend: str) -> None:
    """No metric has a figure in the period shown: say so, and what would bring one."""
    if not any(view.trend(metric)["n"].any() for metric in metrics):
        who, when = f"**{words.plain(view.scope.label)}**", words.span(view.since, view.until)
        st.info(f"{who} has no {noun} in {when}. {mend}", icon=":material/search_off:")


def _watch(home: Home, snapshot_id: str | None, *, is_syncing: bool) -> None:
    """Run the page again when a new snapshot is published or a sync begins or ends."""

    @st.fragment(run_every=3)
    def look() -> None:
        try:
            current = published(home)
        except WarehouseError:
            return
        now_since = read(home).syncing_since
        if (current.id if current else None) != snapshot_id or (now_since is not None) != is_syncing:
            st.rerun()
        if now_since:
            st.caption(f"Running for {words.duration((datetime.now(UTC) - now_since).total_seconds())}")

    look()
