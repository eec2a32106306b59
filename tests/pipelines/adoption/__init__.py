"""Adoption: what the models say of hand-filled evidence, against plain Python and against traps."""
