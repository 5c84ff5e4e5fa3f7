"""Who the companion is right now: its mood, from the conversation and the hour. Pure."""

from companion.personas.mood import laughs, mood_next, mourns

__all__ = ["laughs", "mood_next", "mourns"]
