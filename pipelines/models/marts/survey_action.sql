/*
description: What was done about what surveys said.
grain: one row per action
key: [action_id]
columns:
  action_id: {type: bigint, description: "Number of the action"}
  wave: {type: varchar, description: "Wave that it answers"}
  theme: {type: varchar, description: "Construct or theme that it answers"}
  said: {type: varchar, description: "What people said, in the words of whoever answers"}
  did: {type: varchar, description: "What was done, or why not"}
  status: {type: varchar, description: "How far that is", accepted: [planned, started, done, declined]}
  decided_on: {type: date, description: "Local day of the decision"}
  url: {type: varchar, description: "Where more of it is", nullable: true}
*/
from survey.action
order by decided_on desc, action_id desc
