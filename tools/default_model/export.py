#!/usr/bin/env python3
"""A checkpoint as a Hugging Face folder, in Dream's layout: export.py DATA CHECKPOINT OUT

`aios convert OUT MODEL` makes the model directory of it.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from evaluate import load_network

SPECIAL_IDS = {"bos_token_id": 0, "eos_token_id": 0, "mask_token_id": 1, "pad_token_id": 2}


def model_config(config):
    return {
        "architectures": ["DreamModel"],
        "model_type": "Dream",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_attention_heads,
        "hidden_act": "silu",
        "max_position_embeddings": config.context_length,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,
        "rope_scaling": None,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "torch_dtype": "bfloat16",
        "dual_mode": True,
        **SPECIAL_IDS,
    }


def tokenizer_config(config):
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "mask_token": "<|mask|>",
        "pad_token": "<|pad|>",
        "model_max_length": config.context_length,
        "clean_up_tokenization_spaces": False,
    }


def export(data, checkpoint_folder, out):
    network = load_network(checkpoint_folder, "cpu")
    out.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": tensor.to(torch.bfloat16).contiguous()
               for name, tensor in network.state_dict().items()}
    save_file(tensors, str(out / "model.safetensors"), metadata={"format": "pt"})
    generation_config = {**SPECIAL_IDS, "suppress_tokens": [0, 1, 2]}
    for name, content in (("config.json", model_config(network.config)),
                          ("generation_config.json", generation_config),
                          ("tokenizer_config.json", tokenizer_config(network.config))):
        (out / name).write_text(json.dumps(content, indent=2) + "\n")
    shutil.copyfile(data / "tokenizer.json", out / "tokenizer.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="what prepare.py wrote")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    export(arguments.data, arguments.checkpoint, arguments.out)


if __name__ == "__main__":
    main()
