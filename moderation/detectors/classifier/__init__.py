"""The learned detector: the encoder's own upper layers, tuned for danger, beside hashed words and letters.

`outputs` names what it says, `grams` how it spells, `weights` opens the committed file, `head` runs on the shared
trunk, `detector` turns probabilities into hits. How the file was made: training/moderation.
"""
