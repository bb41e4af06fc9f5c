#!/usr/bin/env python3
"""Makes tests/goldens/sampling/processed_scores.json: rows as transformers processes them.

    tools/make_sampling_goldens.py

The list of processors, and so their order, is the one that transformers itself builds from a
GenerationConfig (`GenerationMixin._get_logits_processor`). Logits are distinct (transformers leaves
open which of two equal ones survives) and multiples of 1/32, which float32 holds exactly. `null`
stands for a token that was ruled out.
"""
import itertools
import json
import pathlib

import torch
import transformers
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, LogitsProcessorList

VOCAB_SIZE = 32
OPTIONS = {
    "repetition_penalty": [1.0, 1.3, 0.7],
    "suppress_tokens": [None, [3, 17]],
    "temperature": [1.0, 0.6, 1.7],
    "top_k": [0, 5],
    "top_p": [1.0, 0.8],
    "min_p": [None, 0.08],
}


def processed(model, options, seen, logits):
    config = GenerationConfig(do_sample=True, eos_token_id=None, pad_token_id=0, **options)
    processors = model._get_logits_processor(
        config, input_ids_seq_length=len(seen), logits_processor=LogitsProcessorList()
    )
    scores = processors(torch.tensor([seen]), torch.tensor([logits], dtype=torch.float32))[0]
    return [None if score == -torch.inf else round(score.item(), 6) for score in scores]


def main():
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCAB_SIZE, n_embd=8, n_layer=1, n_head=1))
    cases = []
    for number, values in enumerate(itertools.product(*OPTIONS.values())):
        options = dict(zip(OPTIONS, values))
        logits = (torch.randperm(400)[:VOCAB_SIZE] - 200).div(32).tolist()
        seen = torch.randint(0, VOCAB_SIZE, (6,)).tolist()
        cases.append(
            {
                **{name: value for name, value in options.items() if value is not None},
                "seen": seen,
                "logits": logits,
                "scores": processed(model, options, seen, logits),
            }
        )
    source = f"transformers {transformers.__version__}, torch {torch.__version__}, float32"
    target = pathlib.Path(__file__).parents[1] / "tests/goldens/sampling/processed_scores.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"source": source, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
