"""The report: one period of the organisation on one page, for those who decide."""
