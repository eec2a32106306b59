"""What surveys released: rows of the survey marts, which hold released cells and comments alone.

A group of '' is the whole organisation, which stands above teams, tiers and roles alike.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import pandas as pd

from dashboards.queries.scope import Frames

Grouping = Literal["team", "tier", "role"]
"""What people are grouped by."""

_CELLS = """
    select * from marts.survey_cell
    where wave = $wave and (table_name = $table or (table_name = 'team' and group_name = ''))
"""
_TREE = f"""
    with recursive cell as ({_CELLS}),
    node as (select distinct group_name, parent, depth from cell),
    tree as (
        select group_name, depth, [group_name] as path from node where parent is null
        union all
        select n.group_name, n.depth, list_append(t.path, n.group_name)
        from node as n
        inner join tree as t on n.parent = t.group_name
    )
"""


def survey_waves(source: Frames) -> pd.DataFrame:
    """Rows of `marts.survey_wave`, the newest first."""
    return source.frame("from marts.survey_wave order by position desc")


def survey_groups(source: Frames, wave: str, table: Grouping) -> pd.DataFrame:
    """`group_name, depth` of a wave, each group below the one that it is part of."""
    return source.frame(
        f"{_TREE} select group_name, depth from tree order by path", {"wave": wave, "table": table}
    )


def survey_scores(source: Frames, wave: str, table: Grouping, group: str) -> pd.DataFrame:
    """Response rate, NPS and UMUX-Lite of a group, in this order: cells with their `title`."""
    return source.frame(
        f"""
        with cell as ({_CELLS}),
        construct as (select distinct construct, construct_title from marts.survey_item where wave = $wave)
        select c.*, construct_title as title, counts['invited'] as invited, counts['answered'] as answered
        from cell as c
        left join construct using (construct)
        where group_name = $group and statistic in ('response', 'nps', 'umux_lite')
        order by list_position(['response', 'nps', 'umux_lite'], statistic), item_id
        """,
        {"wave": wave, "table": table, "group": group},
    )


def survey_results(source: Frames, wave: str, table: Grouping, group: str) -> pd.DataFrame:
    """A row for each question with favourable answers, in the order of asking; `mean` is on 0 to 100."""
    return source.frame(
        f"""
        with cell as ({_CELLS})
        select i.construct_title, i.label, i.text, c.status, c.value, c.low, c.high, c.n, c.dont_know,
            m.value as mean, m.low as mean_low, m.high as mean_high, c.rolls_up_to, c.earlier_wave,
            c.change, c.is_change, c.change_says, c.item_id
        from cell as c
        inner join marts.survey_item as i using (wave, item_id)
        left join cell as m
            on m.item_id = c.item_id and m.table_name = c.table_name and m.group_name = c.group_name
            and m.statistic = 'mean'
        where c.statistic = 'top2' and c.group_name = $group
        order by i.position
        """,
        {"wave": wave, "table": table, "group": group},
    )


def survey_changes(source: Frames, since: date, until: date) -> pd.DataFrame:
    """Answers of everybody that changed detectably, of waves released in the time; the newest wave first.

    `statistic` is `top2`, `nps` or `umux_lite`; `change` with its interval is from `earlier_wave` on.
    """
    return source.frame(
        """
        select coalesce(i.label, c.construct) as label, c.statistic, c.value, c.n, c.change, c.change_low,
            c.change_high, c.wave, c.earlier_wave
        from marts.survey_cell as c
        inner join marts.survey_wave as w using (wave)
        left join marts.survey_item as i using (wave, item_id)
        where w.released_on >= $since and w.released_on < $until
            and c.table_name = 'team' and c.group_name = '' and c.is_change
            and c.statistic in ('top2', 'nps', 'umux_lite')
        order by w.position desc, i.position
        """,
        {"since": since, "until": until},
    )


def survey_measures(source: Frames, wave: str) -> pd.DataFrame:
    """What of a wave can be followed over waves: `item_id, statistic, label`, in the order of asking."""
    return source.frame(
        """
        select distinct c.item_id, c.statistic, i.position,
            case c.statistic when 'response' then 'Response rate' when 'nps' then i.label || ' (NPS)'
                when 'umux_lite' then coalesce(t.construct_title, c.construct) || ' (UMUX-Lite)'
                else i.label end as label
        from marts.survey_cell as c
        left join marts.survey_item as i using (wave, item_id)
        left join marts.survey_item as t on t.wave = c.wave and t.construct = c.construct
        where c.wave = $wave and c.statistic in ('top2', 'nps', 'umux_lite', 'response')
        order by i.position nulls last, c.statistic desc
        """,
        {"wave": wave},
    )


def survey_heat(source: Frames, wave: str, table: Grouping) -> pd.DataFrame:
    """A row for each group and question, groups by tree, questions by order: `group_name, depth, label,
    status, value, rolls_up_to`; the response rate comes first."""
    return source.frame(
        f"""
        {_TREE}
        select t.group_name, t.depth, coalesce(i.label, 'Response') as label, c.status, c.value,
            c.rolls_up_to
        from cell as c
        inner join tree as t using (group_name)
        left join marts.survey_item as i using (wave, item_id)
        where c.statistic = 'response' or (c.statistic = 'top2' and i.label is not null)
        order by t.path, i.position nulls first
        """,
        {"wave": wave, "table": table},
    )


def survey_trend(source: Frames, item: str, statistic: str, table: Grouping, group: str) -> pd.DataFrame:
    """A question by wave, and before it those that it stands in the place of, oldest first.

    With `wave, opened_on, item_id, label, status, value, low, high, n, change_says`.
    """
    return source.frame(
        """
        with recursive line as (
            select $item as item_id
            union
            select i.replaces
            from marts.survey_item as i
            inner join line as l using (item_id)
            where i.replaces is not null
        )
        select w.wave, w.opened_on, c.item_id, coalesce(i.label, c.construct) as label, c.status, c.value,
            c.low, c.high, c.n, c.change_says
        from marts.survey_cell as c
        inner join line using (item_id)
        inner join marts.survey_wave as w using (wave)
        left join marts.survey_item as i using (wave, item_id)
        where c.statistic = $statistic and c.table_name = $table and c.group_name = $group
        order by w.position
        """,
        {"item": item, "statistic": statistic, "table": table if group else "team", "group": group},
    )


def survey_drivers(source: Frames, wave: str) -> pd.DataFrame:
    """Rows of `marts.survey_driver` with `outcome_title` and `title`, the largest share first."""
    return source.frame(
        """
        with construct as (
            select distinct construct, construct_title from marts.survey_item where wave = $wave
        )
        select d.*, coalesce(o.construct_title, d.outcome) as outcome_title,
            coalesce(c.construct_title, d.construct) as title
        from marts.survey_driver as d
        left join construct as o on o.construct = d.outcome
        left join construct as c on c.construct = d.construct
        where d.wave = $wave
        order by d.share desc nulls last
        """,
        {"wave": wave},
    )


def survey_themes(source: Frames, wave: str, group: str) -> pd.DataFrame:
    """What comments of a group are about: `theme, mentioned, n` in people, and `share`; shown ones alone."""
    return source.frame(
        """
        select item_id as theme, counts['mentioned'] as mentioned, n, value as share
        from marts.survey_cell
        where wave = $wave and statistic = 'theme' and table_name = 'team' and group_name = $group
            and status = 'ok'
        order by mentioned desc, theme
        """,
        {"wave": wave, "group": group},
    )


def survey_comment_groups(source: Frames, wave: str) -> pd.DataFrame:
    """Groups at which comments or themes are shown: `group_name, comments`, by name, the whole first."""
    return source.frame(
        """
        with commented as (
            select group_name, count(*) as comments from marts.survey_comment where wave = $wave group by all
        ),
        themed as (
            select distinct group_name from marts.survey_cell
            where wave = $wave and statistic = 'theme' and table_name = 'team' and status = 'ok'
        )
        select group_name, coalesce(comments, 0) as comments
        from commented
        full outer join themed using (group_name)
        order by group_name
        """,
        {"wave": wave},
    )


def survey_comments(source: Frames, wave: str, group: str | None, words: str = "") -> pd.DataFrame:
    """`group_name, question, text` of a group, or of all; with `words` only those that have them in this row,
    whatever their case and accents."""
    return source.frame(
        """
        select c.group_name, i.label as question, c.text
        from marts.survey_comment as c
        left join marts.survey_item as i using (wave, item_id)
        where wave = $wave and ($group is null or c.group_name = $group)
            and contains(lower(strip_accents(c.text)), lower(strip_accents($words)))
        order by c.position
        """,
        {"wave": wave, "group": group, "words": words},
    )


def survey_actions(source: Frames) -> pd.DataFrame:
    """Rows of `marts.survey_action` with the theme's `title`, newest first; a `url` only of the web."""
    return source.frame(
        """
        with construct as (
            select construct, max_by(construct_title, wave) as title from marts.survey_item group by all
        )
        select a.* replace (case when regexp_matches(a.url, '^https?://') then a.url end as url),
            coalesce(c.title, a.theme) as title
        from marts.survey_action as a
        left join construct as c on c.construct = a.theme
        order by a.decided_on desc, a.action_id desc
        """
    )
