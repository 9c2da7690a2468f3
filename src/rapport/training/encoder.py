"""The encoder that is fine-tuned: BERT as in MiniLM-L6 (6 layers of width 384), in plain torch, and its heads.

Weights come from a `model.safetensors` with the names that BERT models carry everywhere ("encoder.layer.0...").
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

#: Attention heads, and the epsilon of layer norms, of BERT models of width 384.
ATTENTION_HEADS = 12
EPSILON = 1e-12


class Layer(nn.Module):
    """One transformer layer: attention to all positions that the mask leaves, then two dense layers."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.out_norm = nn.LayerNorm(width, eps=EPSILON)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.down_norm = nn.LayerNorm(width, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        rows, length, width = hidden.shape
        split = (rows, length, ATTENTION_HEADS, width // ATTENTION_HEADS)
        query, key, value = (part(hidden).view(split).transpose(1, 2) for part in (self.query, self.key, self.value))
        weights = torch.softmax(query @ key.transpose(2, 3) * (split[3] ** -0.5) + bias, dim=-1)
        mixed = (self.dropout(weights) @ value).transpose(1, 2).reshape(rows, length, width)
        hidden = self.out_norm(hidden + self.dropout(self.out(mixed)))
        return self.down_norm(hidden + self.dropout(self.down(functional.gelu(self.up(hidden)))))


class Encoder(nn.Module):
    """Token numbers and their mask (both rows x length, int64; 1 = a token, 0 = padding) to one vector a row."""

    def __init__(self, words: int, width: int, inner: int, layers: int, positions: int, dropout: float) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.positions = nn.Embedding(positions, width)
        self.kind = nn.Parameter(torch.zeros(width))
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.layers = nn.ModuleList(Layer(width, inner, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        places = self.positions.weight[: ids.shape[1]]
        hidden = self.dropout(self.norm(self.words(ids) + places + self.kind))
        bias = (1.0 - mask[:, None, None, :].to(hidden.dtype)) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, bias)
        share = mask[:, :, None].to(hidden.dtype)
        return (hidden * share).sum(1) / share.sum(1)


class Heads(nn.Module):
    """An encoder with one linear head for each task: task name -> logits (rows x classes)."""

    def __init__(self, encoder: Encoder, tasks: dict[str, int], dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        width = encoder.words.embedding_dim
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in tasks.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        vector = self.dropout(self.encoder(ids, mask))
        return {name: head(vector) for name, head in self.heads.items()}


_PARTS = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "out",
    "attention.output.LayerNorm": "out_norm",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "down_norm",
}


def load_encoder(path: Path, dropout: float = 0.1) -> Encoder:
    """The encoder with the weights of a safetensors file. Raises `KeyError` where they are not those of a BERT."""
    stored = {name.removeprefix("bert."): value.float() for name, value in load_file(path).items()}
    layers = 1 + max(int(name.split(".")[2]) for name in stored if name.startswith("encoder.layer."))
    words = stored["embeddings.word_embeddings.weight"]
    positions = stored["embeddings.position_embeddings.weight"]
    inner = stored["encoder.layer.0.intermediate.dense.weight"].shape[0]
    encoder = Encoder(words.shape[0], words.shape[1], inner, layers, positions.shape[0], dropout)
    weights = {
        "words.weight": words,
        "positions.weight": positions,
        "kind": stored["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": stored["embeddings.LayerNorm.weight"],
        "norm.bias": stored["embeddings.LayerNorm.bias"],
    }
    for number in range(layers):
        for theirs, ours in _PARTS.items():
            for kind in ("weight", "bias"):
                weights[f"layers.{number}.{ours}.{kind}"] = stored[f"encoder.layer.{number}.{theirs}.{kind}"]
    encoder.load_state_dict(weights)
    return encoder
