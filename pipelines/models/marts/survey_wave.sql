/*
description: Waves of surveys whose results are released.
grain: one row per wave
key: [wave]
columns:
  wave: {type: varchar, description: "Name of the wave"}
  position: {type: bigint, description: "1 for the first that opened"}
  instrument: {type: varchar, description: "Id of the questionnaire"}
  instrument_version: {type: bigint, description: "Version of the questionnaire"}
  title: {type: varchar, description: "Title of the questionnaire"}
  opened_on: {type: date, description: "Local day on which it opened"}
  closed_on: {type: date, description: "Local day on which answers were no longer asked for"}
  released_on: {type: date, description: "Local day on which the results were released"}
  invited: {type: bigint, description: "People who were asked"}
  answered: {type: bigint, description: "Those of them who answered"}
  response_rate: {type: double, description: "Ratio of answered to invited; null where nobody was invited", nullable: true}
  minimum_group: {type: bigint, description: "Respondents under whom a group is withheld, as promised at the opening"}
  comment_group: {type: bigint, description: "Commenters under whom no comment is shown, as promised at the opening"}
  comments: {type: bigint, description: "Comments that are shown"}
  comments_withheld: {type: bigint, description: "Comments that are not"}
*/
select
    wave, row_number() over (order by opened_on, wave) as position, instrument, instrument_version, title, opened_on,
    closed_on, released_on, invited, answered, answered / nullif(invited, 0) as response_rate, minimum_group, comment_group,
    (select count(*) from survey.comment as c where c.wave = w.wave) as comments, comments_withheld
from survey.wave as w
order by position
