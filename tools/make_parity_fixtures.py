"""Makes tests/parity/fixtures: tiny models and what transformers computes with them in float32.

    python tools/make_parity_fixtures.py [--output FOLDER] [NAME ...]

Each folder holds config.json, model.safetensors, perhaps generation_config.json, and what the
engine is compared with: expected.safetensors (`input_ids.S` of sequence S, `logits.KIND.S` or
`hidden.KIND.S` for each kind of attention, and `greedy.prompt`, `greedy.ids`) and expected.json
(what the spec should say). Dream, LLaDA and A2D are Qwen2, Llama and Qwen3 with an all-visible (or
block-causal) mask, their tensors renamed. Weights are numpy's, seeded by the fixture's name, and
large enough that attention is sharp; that is checked.
"""

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from safetensors.torch import save_file

from parity_models import FIXTURES

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
GREEDY_PROMPT, GREEDY_TOKENS = 6, 12
SHARPNESS = 0.5  # mean over queries of the largest attention probability
MIN_GREEDY_MARGIN = 1e-3  # of the two best logits, in units of the largest


def seeded_weights(model, generator, dtype):
    """Fills the parameters in order of their names; values are exact in `dtype`."""
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.from_numpy(generator.standard_normal(tuple(parameter.shape)))
            is_norm = "norm" in name.lower()
            if "q_norm" in name or "k_norm" in name:
                values = 2 + 0.5 * noise
            elif name.endswith("weight") and is_norm:
                values = 1 + 0.25 * noise
            elif parameter.ndim == 1:
                values = 0.3 * noise
            elif "embed" in name:
                values = noise
            else:
                is_score = any(part in name for part in ("q_", "k_", "query", "key"))
                values = noise * (3.0 if is_score else 1.0) / parameter.shape[1] ** 0.5
            parameter.copy_(values.to(dtype).float())


def attention_mask(kind, length, block_length):
    """None for the model's own mask, else an additive one [1, 1, queries, keys]."""
    if kind == "causal":
        return None
    block = torch.arange(length) // (block_length if kind == "block-causal" else length)
    visible = block[None, :] <= block[:, None]
    return torch.where(visible, 0.0, torch.finfo(torch.float32).min)[None, None]


def evaluate(fixture, model, input_ids, kind):
    """Logits, or hidden states where there is no head, and how sharp attention was."""
    ids = torch.from_numpy(input_ids.astype(np.int64))[None]
    is_encoder = fixture.reference.config_class.model_type in ("bert", "roberta", "distilbert")
    mask = None if is_encoder else attention_mask(kind, ids.shape[1], fixture.block_length)
    with torch.no_grad():
        output = model(ids, attention_mask=mask, output_attentions=True)
    sharpness = torch.stack([layer.max(-1).values.mean() for layer in output.attentions]).mean()
    name = "logits" if "logits" in output else "hidden"
    values = output["logits"] if name == "logits" else output["last_hidden_state"]
    return name, values[0].contiguous(), float(sharpness)


def greedy(model, input_ids):
    """A prompt and transformers' own greedy continuation, in which no choice hangs on rounding."""
    options = hf.GenerationConfig(do_sample=False, max_new_tokens=GREEDY_TOKENS, pad_token_id=0)
    for start in range(len(input_ids) - GREEDY_PROMPT):
        prompt = torch.from_numpy(input_ids[start : start + GREEDY_PROMPT].astype(np.int64))[None]
        with torch.no_grad():
            ids = model.generate(prompt, attention_mask=torch.ones_like(prompt),
                                 generation_config=options)
            logits = model(ids).logits[0, GREEDY_PROMPT - 1 : -1]
        best = logits.topk(2).values
        if ((best[:, 0] - best[:, 1]) > MIN_GREEDY_MARGIN * logits.abs().max()).all():
            return prompt[0].to(torch.int32), ids[0, GREEDY_PROMPT:].to(torch.int32)
    raise ValueError("every continuation has a near tie: choose another seed")


def engine_config(fixture, config):
    """config.json as this family's checkpoints have it."""
    written = config.to_diff_dict()
    rope = written.pop("rope_parameters", None)
    if rope is not None and fixture.style == 4:
        rope = dict(rope)
        written["rope_theta"] = rope.pop("rope_theta")
        written["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    elif rope is not None:
        written["rope_parameters"] = rope
    names = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
    written["torch_dtype" if fixture.style == 4 else "dtype"] = names[fixture.dtype]
    if fixture.style == 4:
        written["transformers_version"] = "4.57.0"
    for old, new in fixture.rename_config.items():
        value = written.pop(old, None)
        if new is not None:
            written[new] = value
    written.update(architectures=[fixture.architecture], model_type=fixture.model_type)
    written.update(fixture.extra_config)
    return written


def engine_weights(fixture, model, generator):
    """Tensors under this family's names; tied ones are left out, as save_pretrained does."""
    parameters = dict(model.named_parameters())  # named once, under the first of tied names
    tensors = {}
    for name, values in parameters.items():
        for old, new in fixture.rename.items():
            name = name.replace(old, new)
        tensors[name] = values.detach().to(DTYPES[fixture.dtype]).contiguous()
    for name, shape in fixture.extra_tensors.items():
        tensors[name] = torch.from_numpy(generator.standard_normal(shape)).to(DTYPES[fixture.dtype])
    return tensors


def expected_spec(fixture, config):
    """What the spec should say beside the numbers: from transformers where it has a word for it."""
    ids = {**config.to_dict(), **fixture.extra_config, **fixture.generation_config}
    end = ids.get("eos_token_id")
    offset = config.pad_token_id + 1 if fixture.family == "roberta" else 0
    return {
        "family": fixture.family,
        "modes": fixture.modes,
        "attention_kinds": fixture.attention,
        "logit_shift": fixture.logit_shift,
        "context_length": config.max_position_embeddings - offset,
        "begin": ids.get("bos_token_id"),
        "end": [] if end is None else end if isinstance(end, list) else [end],
        "pad": ids.get("pad_token_id"),
        "mask": ids.get("mask_token_id"),
        "suppressed": sorted(ids.get("suppress_tokens", [])),
    }


def build(fixture):
    """The reference model with its seeded weights, and the generator that made them."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(fixture.name.encode())))
    config = fixture.reference.config_class(**fixture.config)
    config._attn_implementation = "eager"
    model = fixture.reference(config).eval()
    seeded_weights(model, generator, DTYPES[fixture.dtype])
    return model, generator


def make(fixture, folder):
    model, generator = build(fixture)
    config = model.config
    input_ids = [generator.integers(0, 97, length).astype(np.int32) for length in fixture.lengths]
    if fixture.family == "roberta":
        input_ids[0][[3, 4, 11]] = config.pad_token_id  # pads inside a text are not counted

    expected = {}
    for s, ids in enumerate(input_ids):
        expected[f"input_ids.{s}"] = torch.from_numpy(ids)
        for kind in fixture.attention:
            name, values, sharpness = evaluate(fixture, model, ids, kind)
            expected[f"{name}.{kind}.{s}"] = values
            assert s > 0 or sharpness > SHARPNESS, (fixture.name, kind, sharpness)
    if "generate" in fixture.modes:
        expected["greedy.prompt"], expected["greedy.ids"] = greedy(model, input_ids[0])

    folder.mkdir(parents=True, exist_ok=True)
    save_file(engine_weights(fixture, model, generator), folder / "model.safetensors")
    save_file(expected, folder / "expected.safetensors")
    texts = {"config.json": engine_config(fixture, config),
             "expected.json": expected_spec(fixture, config)}
    if fixture.generation_config:
        texts["generation_config.json"] = fixture.generation_config
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1]
                        / "tests" / "parity" / "fixtures")
    parser.add_argument("names", nargs="*", help="fixtures to make; default: all")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    hf.logging.set_verbosity_error()
    for fixture in FIXTURES:
        if not arguments.names or fixture.name in arguments.names:
            make(fixture, arguments.output / fixture.name)


if __name__ == "__main__":
    main()
