"""What the platform pages have in common: which capability they are about, and their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboards import drill, queries, words
from dashboards.view import View

WHOLE = "All of the platform"

_EXAMPLE = """\
platform:
  capabilities:
    - name: golden-path
      kind: pipeline
      evidence:
        - workflow: acme/ci/.github/workflows/deliver.yml
"""


def choose(view: View, *, may_be_whole: bool = True) -> View | None:
    """Draw the choice of a capability, and return the view of it; None where the workspace names none."""
    known = queries.capabilities(view.source)
    if known.empty:
        st.info("The workspace does not say yet what the platform offers.", icon=":material/widgets:")
        st.markdown("Name each capability and what shows that it is used, then run `cairn sync`:")
        st.code(_EXAMPLE, language=None, wrap_lines=True)
        st.caption("`docs/workspace.md` has every kind of evidence; `cairn doctor` says which rules match.")
        return None
    # Two capabilities may have one title.
    names = {
        title if (known["title"] == title).sum() == 1 else f"{title} ({name})": name
        for name, title in zip(known["capability"], known["title"], strict=True)
    }
    options = [*([WHOLE] if may_be_whole else []), *names]
    chosen = st.selectbox("Capability", options, key="capability", bind="query-params", width=400)
    return replace(view, scope=view.scope._replace(capability=names.get(chosen)))


def titles(view: View) -> Mapping[str, str]:
    """Capability → what a person calls it."""
    known = queries.capabilities(view.source)
    return dict(zip(known["capability"], known["title"], strict=True))


def table(view: View, noun: str, rows: pd.DataFrame, name: str, columns: Mapping[str, Any]) -> None:
    """A list with a download; without columns that say nothing."""
    called = titles(view)
    shown = rows.copy()
    if "capability" in shown:
        shown["capability"] = shown["capability"].map(lambda one: called.get(one, one))
        if view.scope.capability is not None:
            shown = shown.drop(columns="capability")
    if "instead" in shown:
        shown["instead"] = [", ".join(called.get(one, one) for one in each) for each in shown["instead"]]
    silent = [
        one
        for one in shown.columns
        if shown[one].isna().all() or (shown[one].dtype == bool and not shown[one].any())
    ]
    drill.listing(view, noun, shown.drop(columns=silent), name=name, titles=columns)


def fewer_than_three(view: View) -> None:
    """Say that, and how many, services are in no list."""
    known = queries.capabilities(view.source)
    hidden = dict(zip(known["capability"], known["hidden_services"], strict=True)).get(view.scope.capability)
    if hidden:
        st.caption(
            f"{words.count(int(hidden), 'service')} that fewer than three people work on are in the figures"
            " and in no list."
        )
