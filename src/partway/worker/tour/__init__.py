"""`partway tour`: the main job end to end over HTTP, step by step, each checked from the outside."""

from .steps import main

__all__ = ["main"]
