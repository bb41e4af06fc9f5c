"""Muon for the layers' matrices, AdamW for the rest (Jordan et al. 2024, kellerjordan.github.io/
posts/muon). Matrices of one shape are orthogonalised together: few large kernels.
"""

import torch


def orthogonalize(matrices, num_steps=5):
    """Newton-Schulz towards U V^T of each of [count, rows, columns], in bfloat16."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.to(torch.bfloat16)
    is_tall = x.shape[-2] > x.shape[-1]
    if is_tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(num_steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if is_tall else x).to(matrices.dtype)


class Muon:
    """Nesterov momentum, orthogonalised, with decoupled weight decay."""

    def __init__(self, parameters, learning_rate=0.02, momentum=0.95, weight_decay=0.01):
        self.learning_rate = learning_rate
        self.momentum, self.weight_decay = momentum, weight_decay
        by_shape = {}
        for parameter in parameters:
            by_shape.setdefault(parameter.shape, []).append(parameter)
        self.groups = [(group, torch.stack([torch.zeros_like(p) for p in group]))
                       for group in by_shape.values()]

    @torch.no_grad()
    def step(self, factor):
        rate = self.learning_rate * factor
        for group, velocity in self.groups:
            gradient = torch.stack([parameter.grad for parameter in group])
            velocity.lerp_(gradient, 1 - self.momentum)
            update = orthogonalize(gradient.lerp_(velocity, self.momentum))
            scale = max(1, update.shape[-2] / update.shape[-1]) ** 0.5
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, list(update.unbind()), alpha=-rate * scale)


class MixedOptimizer:
    def __init__(self, network, muon_rate=0.02, adam_rate=3e-3):
        matrices, others = [], []
        for name, parameter in network.named_parameters():
            is_matrix = parameter.ndim == 2 and not name.startswith("embed")
            (matrices if is_matrix else others).append(parameter)
        self.muon = Muon(matrices, muon_rate)
        self.adam = torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
        self.adam_rate, self.others = adam_rate, others

    def step(self, factor):
        """@param factor of the schedule, applied to both learning rates"""
        torch.nn.utils.clip_grad_norm_(self.others, 1.0)
        self.muon.step(factor)
        self.adam.param_groups[0]["lr"] = self.adam_rate * factor
        self.adam.step()
        for group, _ in self.muon.groups:
            for parameter in group:
                parameter.grad = None
        self.adam.zero_grad(set_to_none=True)
