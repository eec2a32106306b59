"""Voice › Drivers: what goes together with satisfaction among all who answered, or why nothing is shown."""

from __future__ import annotations

import streamlit as st

from dashboards import charts, figures, queries, voices, words
from dashboards.view import Cached

NOTHING = {
    "too_few": "Too few people answered every question that this rests on: it takes 100 of the whole"
    " organisation, and 15 for each construct.",
    "not_above_chance": "Nothing goes together with it more than would by chance.",
}
COLUMNS = {
    "title": "Construct", "outcome_title": None, "n": None, "r_squared": None, "threshold": None,
    "direction": st.column_config.TextColumn("With it, the outcome"),
    "share": st.column_config.NumberColumn("Share", format="percent"),
}  # fmt: skip


def show(source: Cached) -> None:
    """Shares of each construct that stands out from chance, and what may be concluded from them."""
    wave = voices.choose_wave(source)
    if wave is None:
        return
    voices.told(wave)
    rows = queries.survey_drivers(source, str(wave["wave"]))
    if rows.empty:
        st.info("This wave asked nothing that could be explained.", icon=":material/hub:")
        return
    first = rows.iloc[0]
    outcome = words.plain(first["outcome_title"])
    st.header(f"What goes with {outcome}", anchor=False)
    st.info("**Association, not cause.** " + words.plain(first["caption"]), icon=":material/info:")
    if first["status"] != "ok":
        st.markdown(NOTHING[first["status"]])
        return
    with st.container(border=True):
        charts.still(figures.drivers(rows), "drivers", f"Constructs that go together with {outcome}")
        st.caption(
            f"All constructs together explain {words.share(first['r_squared'])} of the differences between"
            f" {first['n']:,} people. What does not pass the dashed line may be chance (in 5 of 100"
            " permutations the largest does) and is left out."
        )
    shown = rows[["title", "share", "direction", "outcome_title", "n", "r_squared", "threshold"]]
    voices.listing("construct", shown, f"drivers-{wave['wave']}", COLUMNS)
