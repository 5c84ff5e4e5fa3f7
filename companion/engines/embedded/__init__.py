"""The default engine: retrieval over the bank, with dialogue state, acts, slots and moods."""
