-- In [0, 1), as if at random.
create or replace temp macro chance(what, a, b) as hash(what, a, b) / 18446744073709551616.0;
create or replace temp macro pick(what, a, b, choices) as (hash(what, a, b) % choices)::bigint;
-- Seconds of a wait, most of them short.
create or replace temp macro wait(what, a, b, mean) as to_seconds(-mean * ln(1 - chance(what, a, b)));
create or replace temp macro sha(repository, item, place) as
    sha1(concat_ws('/', repository, item, place));
create or replace temp macro after_steps(steps, step) as getvariable('began') + to_seconds(steps * step);
-- The latest item that had landed for certain.
create or replace temp macro item_before(moment, step) as
    greatest(0, epoch(moment - getvariable('began')) // step - 1)::bigint;
create or replace temp macro happened(moment) as
    moment >= getvariable('since') and moment < getvariable('until');
create or replace temp macro known(moment) as case when moment < getvariable('until') then moment end;
create or replace temp macro number_of(k) as if(k < 0, 1000000000 - k, k + 1);
create or replace temp macro outcome(what, a, b) as
    case when chance(what, a, b) < 0.85 then 'success' when chance(what, a, b) < 0.97 then 'failed' else 'cancelled' end;
