"""The sentence encoder in one small file, so that training can run where it is not installed; for training only.

encoder.safetensors: half precision, word table and upper layers in 8 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chatbot.core.encoder import model_directory


def encoder_pack(path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    packed: dict[str, Any] = {}
    for name, weight in load_file(model_directory() / "model.safetensors").items():
        # The upper layers are only where tuning begins, so 8 bits do for them as well.
        upper = weight.ndim == 2 and name.startswith(("encoder.layer.3.", "encoder.layer.4.", "encoder.layer.5."))
        if name.endswith("word_embeddings.weight") or upper:
            scale = weight.abs().amax(1, keepdim=True) / 127
            packed[name], packed[f"{name}.scale"] = (weight / scale).round().to(torch.int8), scale.half()
        elif weight.is_floating_point():
            packed[name] = weight.half().contiguous()
    save_file(packed, path)


def bert_open(path: Path, trunk: int = 3) -> Any:
    """What `encoder_pack` wrote, frozen but for its upper layers, in full precision."""
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    config._attn_implementation = "sdpa"
    model = BertModel(config, add_pooling_layer=False)
    weights = load_file(path)
    full = {
        name: weight.float() * weights[f"{name}.scale"].float() if f"{name}.scale" in weights else weight.float()
        for name, weight in weights.items()
        if not name.endswith(".scale") and not name.startswith("pooler")
    }
    missing, unknown = model.load_state_dict(full, strict=False)
    if [name for name in missing if "position_ids" not in name] or unknown:
        raise ValueError(f"not the encoder's weights: missing {missing}, unknown {unknown}")
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.startswith(tuple(f"encoder.layer.{n}." for n in range(trunk, 6))))
    return model.eval()
