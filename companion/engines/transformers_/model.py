"""The loaded model: the one module of this engine that names torch and transformers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from companion.engines.base import EngineError, EngineUnavailable
from companion.engines.transformers_.prompt import shortened, without_system

REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Settings:
    """What the operator may set. model: a folder or a hub id. download: may a hub id be fetched (else it must lie in
    the local hub cache)? context: tokens of prompt at most; older turns are left out first. template: must the model
    have a chat template (not where raw prompts are completed)?"""

    model: str
    revision: str | None = None
    download: bool = False
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    max_new_tokens: int = 160
    temperature: float = 0.7
    top_p: float = 0.9
    context: int = 2048
    template: bool = True


@dataclass(frozen=True)
class Raw:
    """What is completed as it is: a prompt with its special tokens in it, or messages for the model's own template,
    with `effort` as its reasoning effort. tokens: of the answer, at most."""

    prompt: str | Sequence[Mapping[str, str]]
    tokens: int
    effort: str | None = None


class ChatModel:
    """Loaded in the engine's thread and used only there. Raises EngineUnavailable with what an operator can mend."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        path = Path(settings.model).expanduser()
        if not path.is_dir() and (path.is_absolute() or settings.model.startswith((".", "~"))):
            raise EngineUnavailable(f"the model folder {settings.model} does not exist")
        if not settings.download:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            self._load(str(path) if path.is_dir() else settings.model)
        except EngineUnavailable:
            raise
        except Exception as error:  # whatever a broken folder provokes is the same news: this model can't be used
            raise EngineUnavailable(f"the model {settings.model} can't be loaded: {error}") from error

    def _load(self, source: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        if self.settings.threads is not None:
            torch.set_num_threads(self.settings.threads)
        # DANGER: trust_remote_code stays False and weights stay safetensors, or a model folder could run its own code.
        common: dict[str, Any] = {
            "local_files_only": not self.settings.download,
            "trust_remote_code": False,
            "revision": self.settings.revision,
        }
        self.tokenizer = AutoTokenizer.from_pretrained(source, **common)
        if self.settings.template and not getattr(self.tokenizer, "chat_template", None):
            raise EngineUnavailable(f"the model {source} has no chat template: take an instruct or chat version")
        model = AutoModelForCausalLM.from_pretrained(source, use_safetensors=True, dtype=self._dtype(torch), **common)
        self.device = self._device(torch)
        self.model = model.to(self.device).eval()
        self.model.requires_grad_(False)
        self.licence = _licence(Path(source))

    def _device(self, torch: Any) -> str:
        if self.settings.device != "auto":
            return self.settings.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def _dtype(self, torch: Any) -> Any:
        return "auto" if self.settings.dtype == "auto" else getattr(torch, self.settings.dtype)

    def _prompt_ids(self, messages: Sequence[dict[str, str]]) -> Any:
        """Token ids of the templated messages, the oldest turns left out until they fit."""
        while True:
            ids = self._templated(messages)
            fewer = shortened(messages)
            if ids.shape[1] <= self.settings.context or len(fewer) == len(messages):
                return ids[:, -self.settings.context :]
            messages = fewer

    def _templated(self, messages: Sequence[dict[str, str]], **more: str) -> Any:
        from jinja2 import TemplateError

        options: dict[str, Any] = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True, **more}
        try:
            found = self.tokenizer.apply_chat_template(list(messages), **options)
        except TemplateError:
            found = self.tokenizer.apply_chat_template(without_system(messages), **options)
        return found["input_ids"]

    def generate(
        self,
        messages: Sequence[dict[str, str]],
        *,
        seed: int,
        max_chars: int,
        until: float,
        cancelled: Event,
        say: Callable[[str], None],
    ) -> bool:
        """Says pieces of the reply until it is done, cancelled, long enough or late (`until`: time.monotonic). Whether
        the model came to an end of its own."""
        import torch

        torch.manual_seed(seed % 2**63)
        sampled = {
            "max_new_tokens": self.settings.max_new_tokens,
            "do_sample": self.settings.temperature > 0,
            "temperature": self.settings.temperature or 1.0,
            "top_p": self.settings.top_p,
        }
        ids = self._prompt_ids(messages)
        return self._run(ids, sampled, max_chars=max_chars, until=until, cancelled=cancelled, say=say)

    def complete(self, raw: Raw, *, until: float, cancelled: Event, say: Callable[[str], None]) -> bool:
        """Says the likeliest answer, as `generate` does. Raises EngineError for a prompt longer than `context`: nothing
        is left out of it."""
        if isinstance(raw.prompt, str):
            ids = self.tokenizer(raw.prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        else:
            options = {} if raw.effort is None else {"reasoning_effort": raw.effort}
            ids = self._templated([dict(message) for message in raw.prompt], **options)
        if ids.shape[1] > self.settings.context:
            raise EngineError(f"the prompt has {ids.shape[1]} tokens, and the model reads {self.settings.context}")
        greedy = {"max_new_tokens": raw.tokens, "do_sample": False, "temperature": 1.0, "top_p": 1.0, "top_k": 50}
        return self._run(ids, greedy, max_chars=raw.tokens * 100, until=until, cancelled=cancelled, say=say)

    def _run(
        self,
        ids: Any,
        sampled: Mapping[str, Any],
        *,
        max_chars: int,
        until: float,
        cancelled: Event,
        say: Callable[[str], None],
    ) -> bool:
        import torch
        from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

        ids = ids.to(self.device)
        spoken = Spoken(self.tokenizer, say)

        class Stop(StoppingCriteria):  # type: ignore[misc]  # transformers is not followed by mypy
            def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
                over = cancelled.is_set() or spoken.length >= max_chars or time.monotonic() >= until
                return torch.full((input_ids.shape[0],), over, dtype=torch.bool, device=input_ids.device)

        given = self.model.generation_config
        config = GenerationConfig.from_dict(
            {
                **given.to_dict(),
                **sampled,
                "max_length": None,
                "pad_token_id": given.pad_token_id or self.tokenizer.pad_token_id or self.tokenizer.eos_token_id,
                "eos_token_id": given.eos_token_id or self.tokenizer.eos_token_id,
            }
        )
        with torch.inference_mode():
            found = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                generation_config=config,
                streamer=spoken,
                stopping_criteria=StoppingCriteriaList([Stop()]),
            )
        ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
        return int(found[0, -1]) in ends


class Spoken:
    """A streamer for `generate`: tokens in, text out as soon as its letters are whole."""

    def __init__(self, tokenizer: Any, say: Callable[[str], None]) -> None:
        self._tokenizer = tokenizer
        self._say = say
        self._ids: list[int] = []
        self._prompt_seen = False
        self.length = 0

    def put(self, value: Any) -> None:
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        self._ids.extend(value.reshape(-1).tolist())
        self._flush(final=False)

    def end(self) -> None:
        self._flush(final=True)

    def _flush(self, *, final: bool) -> None:
        text = self._tokenizer.decode(self._ids, skip_special_tokens=True).lstrip()
        if final:
            text = text.rstrip().rstrip(REPLACEMENT)
        elif text.endswith(REPLACEMENT) or text[-1:].isspace():
            return
        if len(text) > self.length:
            self._say(text[self.length :])
            self.length = len(text)


def _licence(folder: Path) -> str:
    """From the model card beside the weights, if there is one."""
    card = folder / "README.md"
    if card.is_file():
        for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:"):
                return line.removeprefix("license:").strip()
    return "see the model's own card"
