/*
description: What each released wave asked, as it was asked.
grain: one row per wave and question
key: [wave, item_id]
columns:
  wave: {type: varchar, description: "Name of the wave"}
  item_id: {type: varchar, description: "Id of the question, which keeps its meaning for good"}
  item_version: {type: bigint, description: "Version of its words"}
  position: {type: bigint, description: "Place in the questionnaire, from 1"}
  construct: {type: varchar, description: "Id of what it is a measure of"}
  construct_title: {type: varchar, description: "What it is a measure of"}
  label: {type: varchar, description: "The question in short"}
  text: {type: varchar, description: "The question"}
  direction: {type: varchar, description: "Whether a high value is good", accepted: [positive, negative, neutral]}
  low: {type: bigint, description: "Lowest value of its scale; null for an open question", nullable: true}
  high: {type: bigint, description: "Highest value of its scale; null for an open question", nullable: true}
  low_label: {type: varchar, description: "What the lowest value says", nullable: true}
  high_label: {type: varchar, description: "What the highest value says", nullable: true}
  replaces: {type: varchar, description: "Id of the question that it stands in the place of, with which it compares no more", nullable: true}
  source: {type: varchar, description: "Where the question comes from"}
*/
from survey.item
order by wave, position
