"""What can go wrong with the encoder, in one sentence that an operator understands."""


class EncoderError(Exception):
    """The encoder can't be used: its files are missing or not the expected ones, or it was closed."""
