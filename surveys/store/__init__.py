"""The survey store, apart from the warehouse: see `Store`."""

from surveys.cohorts import Cohort
from surveys.errors import (
    AlreadyReleased,
    KeysGone,
    NoSuchAction,
    NoSuchWave,
    NotClosed,
    SealBroken,
    StillCollecting,
    StoreError,
    StoreGone,
    TooLong,
    WaveExists,
)
from surveys.store.records import (
    Action,
    Answer,
    Asked,
    Invitation,
    Invited,
    Invitee,
    Link,
    NewAction,
    NewWave,
    Response,
    Wave,
)
from surveys.store.store import Store

__all__ = [
    "Action",
    "AlreadyReleased",
    "Answer",
    "Asked",
    "Cohort",
    "Invitation",
    "Invited",
    "Invitee",
    "KeysGone",
    "Link",
    "NewAction",
    "NewWave",
    "NoSuchAction",
    "NoSuchWave",
    "NotClosed",
    "Response",
    "SealBroken",
    "StillCollecting",
    "Store",
    "StoreError",
    "StoreGone",
    "TooLong",
    "Wave",
    "WaveExists",
]
