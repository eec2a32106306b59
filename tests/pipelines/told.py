"""Tests told as stories: what happens, a `yield`, and what that shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import pytest


class World(Protocol):
    """Something to model."""

    def build(self) -> object: ...


W = TypeVar("W", bound=World)
Story = Callable[[W], Iterator[None]]


class Stories(Generic[W]):
    """Stories of one world, each of repositories of its own: one build models them all.

    What a story does after what it showed is modelled by the next build, for its next `yield`.
    """

    def __init__(self, make: Callable[[], W]) -> None:
        self._make = make
        self._stories: dict[str, Story[W]] = {}

    def told(self, story: Story[W]) -> Callable[[], None]:
        """Make a test of a story."""
        name = story.__name__

        def test() -> None:
            if error := self._outcomes[name]:
                raise error

        self._stories[name] = story
        test.__name__, test.__doc__, test.__module__ = name, story.__doc__, story.__module__
        return test

    @cached_property
    def _outcomes(self) -> dict[str, BaseException | None]:
        """What went wrong in each story."""
        world = self._make()
        telling = {name: story(world) for name, story in self._stories.items()}
        outcomes: dict[str, BaseException | None] = dict.fromkeys(telling)
        while True:
            for name, story in [*telling.items()]:
                try:
                    next(story)
                except StopIteration:
                    del telling[name]
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - its test raises it
                    outcomes[name] = error
                    del telling[name]
            if not telling:
                return outcomes
            world.build()
