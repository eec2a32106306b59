-- Macros the models share. The workspace's timezone is the session variable `timezone`.

-- The day on which a moment falls in the workspace's timezone.
create or replace temp macro local_date(moment) as
    (moment at time zone getvariable('timezone'))::date;

-- The moment at which a day begins in the workspace's timezone.
create or replace temp macro local_moment(local_day) as
    local_day::timestamp at time zone getvariable('timezone');

-- First day of the period a day falls in; weeks begin on Monday (ISO 8601).
create or replace temp macro period_start(grain, local_day) as
    date_trunc(grain, local_day)::date;

create or replace temp macro period_length(grain) as
    case grain
        when 'day' then interval 1 day
        when 'week' then interval 7 day
        when 'month' then interval 1 month
        when 'quarter' then interval 3 month
        when 'year' then interval 1 year
    end;

-- First day after the period that begins on a day.
create or replace temp macro period_end(grain, first_day) as
    (first_day + period_length(grain))::date;

create or replace temp macro grains() as ['day', 'week', 'month', 'quarter', 'year'];

-- A period as a number, by which rows are grouped and joined in a fraction of the time that words take.
create or replace temp macro period_id(grain, first_day) as
    (list_position(grains(), grain) * 10000000 + 5000000 + (first_day - date '1970-01-01'))::integer;
create or replace temp macro grain_id(period_id) as period_id // 10000000;

-- Type 7 (linear) quantile of a list in ascending order; `p` from 0 to 1, null outside of it. Of decimals, as which
-- `p` would be read, products take ten times as long.
create or replace temp macro quantile_of_sorted(ascending, p) as
    case when p between 0 and 1 then
        ascending[floor((len(ascending) - 1) * p::double)::bigint + 1]
        + ((len(ascending) - 1) * p::double - floor((len(ascending) - 1) * p::double))
        * (ascending[ceil((len(ascending) - 1) * p::double)::bigint + 1]
            - ascending[floor((len(ascending) - 1) * p::double)::bigint + 1])
    end;

-- Host and path of a repository, whether it is written as https, ssh or git@host:path.
create or replace temp macro repository_address(url) as
    regexp_replace(
        regexp_replace(
            regexp_replace(lower(url), '^[a-z][a-z0-9+.-]*://([^/@]*@)?|^[^/@:]+@', ''),
            '^([^/:]+):([^/0-9])', '\1/\2'
        ),
        '(\.git)?/*$', ''
    );

-- Address of a commit on the host a repository's URL names; null where the URL names no web host.
create or replace temp macro commit_url(repository_url, sha) as
    case
        when regexp_matches(repository_url, '^https?://') then
            regexp_replace(repository_url, '(\.git)?/?$', '')
            || case when contains(repository_url, 'bitbucket.org/') then '/commits/' else '/commit/' end
            || sha
    end;

-- Wilson's 90 % interval of a share (Wilson, 1927); 1.6448536… is the .95 quantile of the normal distribution.
create or replace temp macro wilson_middle(hits, n) as
    (hits + 1.6448536269514722 ** 2 / 2) / (n + 1.6448536269514722 ** 2);
create or replace temp macro wilson_margin(hits, n) as
    1.6448536269514722 / (n + 1.6448536269514722 ** 2)
    * sqrt(hits * (n - hits) / n + 1.6448536269514722 ** 2 / 4);

create or replace temp macro utc_day(moment) as (moment at time zone 'UTC')::date;

-- Working seconds of a calendar before a moment, which falls on that day of it.
create or replace temp macro worked_until(day, moment) as
    day.working_seconds_before + day.is_working::bigint * (epoch(moment) - epoch(day.starts_at));

-- Whether a moment lies in [valid_from, valid_until). As an `if` it is no condition to join by: DuckDB would
-- join by the inequality first, everything with everything.
create or replace temp macro during(moment, valid_from, valid_until) as
    if(moment < valid_from, false, moment < valid_until);

-- How many observations of a group each reason leaves out; null without any.
create or replace temp macro excluded(left_out) as
    if(count(left_out) > 0, histogram(left_out)::map(varchar, bigint), null);

-- Whether an evidence rule means a thing of its kind: by name, whatever the case, where `*` stands for anything;
-- a step by a pattern. Without a value in the pattern, an annotation or label of any value is meant.
create or replace temp macro rule_matches(kind, pattern, thing) as
    case
        when kind = 'step' then regexp_matches(thing, pattern, 'i')
        when kind in ('annotation', 'label') and not contains(pattern, '=')
            then lower(split_part(thing, '=', 1)) glob lower(pattern)
        else lower(thing) glob lower(pattern)
    end;

-- A level and key as a number. Rows are sorted by it, since a file can skip what is stored between two numbers, and of
-- strings it looks at the first 8 bytes alone, which the names of services often share.
create or replace temp macro subject_key(level, key) as md5_number_lower(level || ':' || key);

-- Holds of every value, but DuckDB 1.5 doesn't know: a condition on the small side of a join by one column lets it read the
-- large side through a Bloom filter, and unpack of the other columns what passes. Of a small side that is the result of a
-- join it expects as many rows as were read, and may take the other side for the small one: `group by key having
-- count(*) > 0` lets it expect few.
create or replace temp macro is_any(value) as hash(value) >= 0;

-- A commit as a number, by which those of millions are found in an eighth of the time that three strings take.
create or replace temp macro commit_key(source, repository_id, sha) as hash(source, repository_id, sha);

-- A change as a number: a pull request's, and of what came without one that of its commit.
create or replace temp macro change_key(source, repository_id, number) as hash(source, repository_id, number::bigint);
