"""An optional guard model as a second opinion: open language models that people trained to judge conversations.

`family` holds the values and the care taken with a text, `families` the models with their prompts and the parsers of
their answers, `guard` the opinion itself: time-boxed, and left alone for a while after failures. Who writes the answer
is handed in: nothing here loads a model.
"""
