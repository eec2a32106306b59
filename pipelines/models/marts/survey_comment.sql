/*
description: >-
  Comments as they were released: each at one group of the team tree alone, in an order that means nothing,
  stripped of what looks like names, addresses and secrets.
grain: one row per comment
key: [wave, position]
columns:
  wave: {type: varchar, description: "Name of the wave"}
  position: {type: bigint, description: "Place in the wave's shuffled comments, from 1"}
  item_id: {type: varchar, description: "Question it answers"}
  group_name: {type: varchar, description: "Team or group of teams; empty for the organisation"}
  parent: {type: varchar, description: "Group above that; null for the organisation", nullable: true}
  commenters: {type: bigint, description: "People whose comments are shown there", nullable: true}
  text: {type: varchar, description: "The comment: plain text of an unknown hand, to be shown as text and nothing else"}
*/
from survey.comment
order by wave, position
