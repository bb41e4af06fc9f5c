"""The three losses, in nats per token of the window. Token 0 of a window is never masked.

Logits are shifted: row i predicts token i + 1, so that the prediction for position p is row p - 1.
"""

import torch
import torch.nn.functional as F

MASK_ID = 1


def antithetic_times(count, low, device, generator=None):
    """`count` times, one in each equal stratum of (low, 1], with one common offset."""
    offset = torch.rand(1, device=device, generator=generator)
    fractions = (offset + torch.arange(count, device=device)) / count % 1
    return low + (1 - low) * fractions


def token_nats(logits, ids):
    """-ln p of each of `ids` [..., n] under `logits` [..., n, vocabulary], in float32."""
    return F.cross_entropy(logits.float().flatten(0, -2), ids.flatten(),
                           reduction="none").view(ids.shape)


def causal_nats(network, ids):
    """Of positions 1 on: [batch, length - 1]."""
    return token_nats(network(ids, is_causal=True)[:, :-1], ids[:, 1:])


def draw_mask(ids, rates, generator=None):
    """Positions are masked independently with their rates; the first never."""
    mask = torch.rand(ids.shape, device=ids.device, generator=generator) < rates
    mask[:, 0] = False
    return mask


def diffusion_nats(network, ids, times, generator=None):
    """Masked diffusion (arXiv 2406.07524, 2502.09992): masked positions' nats over t, others 0.

    Their sum over a window is an unbiased estimate of its NELBO if t is uniform in (0, 1].
    """
    rates = times[:, None].expand(ids.shape)
    mask = draw_mask(ids, rates, generator)
    logits = network(torch.where(mask, MASK_ID, ids))
    nats = token_nats(logits[:, :-1], ids[:, 1:])
    return torch.where(mask[:, 1:], nats / rates[:, 1:], 0)


def block_attention_mask(length, block_length, device):
    """Who sees whom in [noisy copy, clean copy] (BD3-LM, arXiv 2503.09573): [2 length, 2 length].

    A noisy token sees its own noisy block and the clean blocks before it; a clean token the clean
    blocks up to its own.
    """
    block = torch.arange(length, device=device) // block_length
    block = torch.cat([block, block])
    is_noisy = torch.arange(2 * length, device=device) < length
    query, key = block[:, None], block[None, :]
    query_noisy, key_noisy = is_noisy[:, None], is_noisy[None, :]
    own_noisy = query_noisy & key_noisy & (query == key)
    earlier_clean = query_noisy & ~key_noisy & (key < query)
    clean = ~query_noisy & ~key_noisy & (key <= query)
    return own_noisy | earlier_clean | clean


def block_nats(network, ids, block_length, times, generator=None):
    """Block diffusion: `times` [batch, blocks]; blocks are counted from position 0.

    The row that predicts a block's first token is the last of the block before, which is clean.
    """
    batch, length = ids.shape
    rates = times.repeat_interleave(block_length, dim=1)[:, :length]
    mask = draw_mask(ids, rates, generator)
    both = torch.cat([torch.where(mask, MASK_ID, ids), ids], dim=1)
    positions = torch.arange(length, device=ids.device).repeat(2)
    logits = network(both, positions, block_attention_mask(length, block_length, ids.device))
    noisy, clean = logits[:, :length - 1], logits[:, length:-1]
    starts_block = (torch.arange(1, length, device=ids.device) % block_length == 0)[None, :, None]
    nats = token_nats(torch.where(starts_block, clean, noisy), ids[:, 1:])
    return torch.where(mask[:, 1:], nats / rates[:, 1:], 0)
