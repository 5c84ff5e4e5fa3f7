"""A small bank of its own, and a language model of a few thousand weights with its tokenizer, made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BANK_EN = """
situation: small
exchanges:
  - id: hello
    act: greeting
    said: [hi, hello there, good morning]
    replies:
      - {text: "Hello, you. Smooth day or bumpy day?", chips: [smooth, bumpy]}
      - Good to see words appear. What's new?
      - A short hello from me.
    then:
      - said: [smooth, a good day, fine]
        replies: [A smooth one. Nice., Smooth it is then.]
      - said: [bumpy, a bad day, terrible]
        replies: ["Bumpy, then. What was the worst bump?", A day with potholes. Where did it start?]
    otherwise: [Noted. Go on., That counts as news.]
  - id: exam
    said: [big test tomorrow and i know nothing, i have an exam in two hours, gonna fail this test]
    replies:
      - Which chapter is the wobbliest? We start there.
      - text: Two hours is a whole film. Or one chapter and a snack.
        tone: joke
      - text: That is a lot of chapters for one evening.
        tone: warm
      - text: A grown exam deserves grown snacks.
        band: ["18+"]
      - text: "{name}, breathe out once. Where is the book?"
  - id: dog
    said: [my dog did something funny, look what my dog did, my puppy is so silly]
    replies:
      - text: The dog again. What was it this time?
      - text: Dogs have no shame, only timing.
      - text: "Was it {pet} again? Of course it was {pet}."
        tone: tease
  - id: real
    act: are_you_real
    said: [are you real, are you human, is this a bot]
    replies: ["I'm a program, all of me.", An AI. No pulse and plenty of puns.]
  - id: bye
    act: farewell
    said: [bye, see you, i have to go]
    replies: ["Okay, see you!", Off you go. Have a good one.]
  - id: night
    act: farewell_night
    said: [good night, going to sleep]
    replies: [Good night. The chat keeps., Sleep well.]
  - id: lost
    act: not_understood
    said: []
    replies: ["You lost me at “{quote}”. What is that?", My gears slipped. Say it another way?, I missed it.]
  - id: lost-again
    act: not_understood_twice
    said: []
    replies: ["I have “{quote}” so far. What is the rest?", Half of it is in here. Go on with the other half.]
  - id: elsewhere
    act: change_topic
    said: []
    replies: [New drawer. What did you eat last?, We could talk about clouds instead.]
  - id: heavy
    act: bad_news
    said: [something bad happened, i got bad news, it all went wrong today]
    replies: [That sounds heavy., Ouch. That is a lot at once.]
  - id: shrug
    act: shrug
    said: [i don't know, whatever, meh]
    replies: [Shrug accepted., Fair. A shrug is an answer too.]
  - id: asked-back
    act: what_about_you
    said: [what about you, and you, how about you]
    replies: [I run on words and puns. No weekend here., Only this chat in here.]
"""

BANK_ES = """
situation: small
exchanges:
  - id: hello
    act: greeting
    said: [hola, buenas, qué tal]
    replies: [Hola. ¿Día liso o con baches?, Aquí estoy.]
"""

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="session")
def small_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bank")
    for language, content in (("en", BANK_EN), ("es", BANK_ES)):
        (root / language).mkdir()
        (root / language / "small.yaml").write_text(content, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Llama-shaped, untrained, never ends by itself: it talks until it is stopped."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-llama")
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["hello there, a small model says small things about dogs and tests"] * 4, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        eos_token_id=None,
        bos_token_id=None,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def without_template(folder: Path, copy: Path) -> Path:
    """A copy of a model folder as a base model has it: with no chat template."""
    copy.mkdir()
    for path in folder.iterdir():
        if path.name == "chat_template.jinja":
            continue
        content = path.read_bytes()
        if path.name == "tokenizer_config.json":
            given = json.loads(content)
            given.pop("chat_template", None)
            content = json.dumps(given).encode()
        (copy / path.name).write_bytes(content)
    return copy
