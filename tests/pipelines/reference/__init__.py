"""Every delivery metric once more, in loops and dictionaries: what the SQL models are held against.

Records and settings in (`given`), rows out (`figures.rows`). Nothing here is shared with `pipelines`,
and nothing is clever: where both agree on random organisations, both read DESIGN section 6 alike.
"""
