"""The network in PyTorch: Dream's layout (Qwen2's tensors, tied head, shifted logits)."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class NetworkConfig:
    vocab_size: int
    hidden_size: int = 512
    intermediate_size: int = 1536
    num_hidden_layers: int = 16
    num_attention_heads: int = 8
    context_length: int = 512
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-6

    @property
    def head_dim(self):
        return self.hidden_size // self.num_attention_heads


SIZES = {
    "default": {},  # 61 million parameters with 12,288 tokens
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
             "num_attention_heads": 2, "context_length": 64},
}


def rotary_table(config, positions):
    """(cosines, sines), [positions, head_dim], halves repeated."""
    exponents = torch.arange(0, config.head_dim, 2, device=positions.device).float()
    frequencies = config.rope_theta ** (-exponents / config.head_dim)
    angles = torch.outer(positions.float(), frequencies)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, table):
    cosines, sines = (part.to(x.dtype) for part in table)
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat([-second, first], dim=-1) * sines


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config.hidden_size, config.intermediate_size
        self.num_heads = config.num_attention_heads
        self.input_layernorm = nn.RMSNorm(hidden, eps=config.rms_norm_eps)
        self.post_attention_layernorm = nn.RMSNorm(hidden, eps=config.rms_norm_eps)
        self.self_attn = nn.ModuleDict({
            "q_proj": nn.Linear(hidden, hidden), "k_proj": nn.Linear(hidden, hidden),
            "v_proj": nn.Linear(hidden, hidden), "o_proj": nn.Linear(hidden, hidden, bias=False)})
        self.mlp = nn.ModuleDict({
            "gate_proj": nn.Linear(hidden, inner, bias=False),
            "up_proj": nn.Linear(hidden, inner, bias=False),
            "down_proj": nn.Linear(inner, hidden, bias=False)})

    def forward(self, x, table, mask, is_causal):
        batch, length, hidden = x.shape
        normed = self.input_layernorm(x)
        query, key, value = (
            self.self_attn[name](normed).view(batch, length, self.num_heads, -1).transpose(1, 2)
            for name in ("q_proj", "k_proj", "v_proj"))
        context = F.scaled_dot_product_attention(rotate(query, table), rotate(key, table), value,
                                                 attn_mask=mask, is_causal=is_causal)
        x = x + self.self_attn["o_proj"](context.transpose(1, 2).reshape(batch, length, hidden))
        normed = self.post_attention_layernorm(x)
        inner = F.silu(self.mlp["gate_proj"](normed)) * self.mlp["up_proj"](normed)
        return x + self.mlp["down_proj"](inner)


class Network(nn.Module):
    """Parameters have the names of the checkpoint, but for `model.` in front."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.initialize()

    def initialize(self):
        """Projections into the residual stream start smaller by the root of their number."""
        depth = math.sqrt(2 * self.config.num_hidden_layers)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                into_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / (depth if into_residual else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def compile_layers(self):
        """One compilation serves all layers: they are alike."""
        for layer in self.layers:
            layer.compile()

    def forward(self, ids, positions=None, mask=None, is_causal=False):
        """Logits [batch, tokens, vocabulary]; row i predicts token i + 1."""
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device)
        table = rotary_table(self.config, positions)
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x, table, mask, is_causal)
        return self.norm(x) @ self.embed_tokens.weight.T
