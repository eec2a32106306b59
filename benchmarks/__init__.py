"""Measurements of the budgets in the design: ratios within one run, never asserted seconds."""
