"""`partway tour`: the main job end to end over real HTTP, with each step saying what it did and checked."""

from .story import main

__all__ = ["main"]
