"""How the companion learns which of the lines that it might say makes the most sense. README.md says how to make it."""
