-- What is observed of services, at each level that they are part of, while they are.
select
    o.offer, m.level, m.key, o.service,
    greatest(o.valid_from, m.valid_from) as valid_from, least(o.valid_until, m.valid_until) as valid_until,
    o.* exclude (offer, service, valid_from, valid_until)
from observation as o
inner join core.adoption_member as m
    on m.service = o.service and m.valid_from < o.valid_until and m.valid_until > o.valid_from
where o.valid_from < o.valid_until
