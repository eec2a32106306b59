/*
description: By which working days each team is measured, and the workspace where no team says otherwise.
grain: one row per team, and one for the workspace
key: [team]
columns:
  team: {type: varchar, description: "Team; null for the workspace", nullable: true}
  calendar: {type: varchar, description: "What names these days: the same wherever they are the same"}
  timezone: {type: varchar, description: "IANA name of the zone whose days they are"}
  country: {type: varchar, description: "ISO 3166 code of the country whose public holidays are free", nullable: true}
  subdivision: {type: varchar, description: "Its state, province or region", nullable: true}
  weekend: {type: 'varchar[]', description: "Names of the weekdays that are free, in alphabetical order"}
*/
select
    team,
    concat_ws(' ', timezone, country, subdivision, array_to_string(list_sort(weekend), ',')) as calendar,
    timezone,
    country,
    subdivision,
    list_sort(weekend) as weekend
from config.calendar
