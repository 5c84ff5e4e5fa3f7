"""The open encoders, shared by the companion, memory and moderation. No Django here, and no torch before use.

    encoded = encode(["hello there"])[0]        # from any thread; batches with whoever else asks
    encoded = await encode_async("hello there")
    encoded.array @ other.array                 # 384 floats of unit length: the cosine

One trunk (embeddings and the lower layers) runs once per text; heads stand on it. The head `sentence` is the model's
own upper part. Others are added with `encoder().head_ensure(name, make)` and read from `Encoded.outputs`. A joined head
reads several texts side by side, each as the trunk gave it, so that what was said before costs no second trunk.
`multilingual()` is another such encoder, without a vector: moderation and memory stand on it.
"""

from chatbot.core.encoder.errors import EncoderError
from chatbot.core.encoder.files import MODEL_SHA256, model_directory
from chatbot.core.encoder.model import SIZE
from chatbot.core.encoder.service import (
    TRUNK,
    Encoder,
    encode,
    encode_async,
    encode_many_async,
    encoder,
    encoder_close,
    tails_expire,
)
from chatbot.core.encoder.tails import TAIL_TOKENS
from chatbot.core.encoder.values import SENTENCE, Encoded, Floats, Head, JoinedHead, Part

__all__ = [
    "MODEL_SHA256",
    "SENTENCE",
    "SIZE",
    "TAIL_TOKENS",
    "TRUNK",
    "Encoded",
    "Encoder",
    "EncoderError",
    "Floats",
    "Head",
    "JoinedHead",
    "Part",
    "encode",
    "encode_async",
    "encode_many_async",
    "encoder",
    "encoder_close",
    "model_directory",
    "tails_expire",
]
