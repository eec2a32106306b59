"""Questionnaires, invitations, the form, scoring and disclosure control."""
