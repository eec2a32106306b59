"""What can go wrong with the survey store; each says what to do, and none holds an answer or a token."""

from __future__ import annotations


class StoreError(Exception):
    """Any of them."""


class NoSuchWave(StoreError):
    """No wave has this name."""


class WaveExists(StoreError):
    """Another wave has this name."""


class StillCollecting(StoreError):
    """The wave can't close yet: answers are accepted until its grace ends."""


class NotClosed(StoreError):
    """Results exist only after close."""


class AlreadyReleased(StoreError):
    """A wave is released once."""


class KeysGone(StoreError):
    """The wave's key files are missing or damaged."""


class SealBroken(StoreError):
    """Something sealed does not open."""


class TooLong(StoreError):
    """The answers don't fit: texts have to be shortened."""


class NoSuchAction(StoreError):
    """No action has this id."""


class StoreGone(StoreError):
    """The database was deleted, replaced or can't be reached."""
