"""The tiny seeded models of tests/parity: one line says what each is there to show.

Every family, GQA and MHA, head_dim other than hidden / heads, intermediate size 88, tied and
untied, windows shorter than the texts, texts beyond the original context of Llama 3 scaling,
configurations in the style of transformers 4 and 5, weights in f32, bf16 and f16.
"""

from dataclasses import dataclass, field

import transformers as hf

LENGTHS = (23, 7, 1)  # of the sequences, which the engine gets as one batch


@dataclass
class Fixture:
    name: str
    reference: type  # the class of transformers whose forward pass gives the expected values
    config: dict  # its arguments
    family: str  # as the engine calls it
    architecture: str  # in config.json
    model_type: str
    modes: list
    attention: list  # kinds to be compared; the first is the default
    dtype: str = "bf16"
    style: int = 5  # transformers version that config.json looks like
    logit_shift: bool = False
    block_length: int = 0
    lengths: tuple = LENGTHS
    extra_config: dict = field(default_factory=dict)  # keys of config.json that transformers lacks
    generation_config: dict = field(default_factory=dict)
    rename: dict = field(default_factory=dict)  # parts of tensor names, in order
    rename_config: dict = field(default_factory=dict)  # keys of config.json; None drops one
    extra_tensors: dict = field(default_factory=dict)  # name to shape: what loading must ignore


def encoder(name, reference, config, family, **options):
    architecture = options.pop("architecture", reference.__name__)
    modes = ["encode"] if architecture.endswith("Model") else ["encode", "diffuse"]
    return Fixture(name, reference, config, family, architecture, family, modes, ["full"],
                   **options)


def decoder(name, reference, config, family, **options):
    modes = options.pop("modes", ["encode", "generate"])
    return Fixture(name, reference, config, family, reference.__name__, family, modes,
                   ["causal", "full"], logit_shift=True, **options)


def denoiser(name, reference, config, family, architecture, model_type, attention, **options):
    modes = ["diffuse", "generate"] if "causal" in attention else ["diffuse"]
    return Fixture(name, reference, config, family, architecture, model_type, modes, attention,
                   **options)


def sizes(hidden, heads, intermediate, layers=2, vocab=97, length=64, **others):
    return dict(vocab_size=vocab, hidden_size=hidden, num_attention_heads=heads,
                intermediate_size=intermediate, num_hidden_layers=layers,
                max_position_embeddings=length, **others)


def rope(theta, **scaling):
    return dict(rope_parameters={"rope_theta": theta, "rope_type": "default", **scaling})


LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=24)

LLADA_TENSORS = {
    "model.embed_tokens": "model.transformer.wte",
    "model.layers": "model.transformer.blocks",
    "lm_head": "model.transformer.ff_out",
    "model.norm": "model.transformer.ln_f",
    "self_attn.o_proj": "attn_out",
    "self_attn.": "",
    "mlp.gate_proj": "ff_proj",
    "mlp.up_proj": "up_proj",
    "mlp.down_proj": "ff_out",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ff_norm",
}
LLADA_CONFIG = {
    "hidden_size": "d_model",
    "num_attention_heads": "n_heads",
    "num_key_value_heads": "n_kv_heads",
    "num_hidden_layers": "n_layers",
    "intermediate_size": "mlp_hidden_size",
    "max_position_embeddings": "max_sequence_length",
    "tie_word_embeddings": "weight_tying",
    "hidden_act": "activation_type",
    "vocab_size": "embedding_size",
    "head_dim": None,
    "attention_bias": None,
    "mlp_bias": None,
}
LLADA_SWITCHES = dict(block_type="llama", layer_norm_type="rms", rope=True, alibi=False,
                      include_bias=False, scale_logits=False, input_emb_norm=False, vocab_size=97)

ENCODERS = [
    encoder("bert_google_names", hf.BertForMaskedLM,
            sizes(36, 3, 88, length=40, layer_norm_eps=0.02), "bert", style=4,
            architecture="BertForPreTraining", rename={"LayerNorm.weight": "LayerNorm.gamma",
                                                       "LayerNorm.bias": "LayerNorm.beta"},
            extra_tensors={"bert.embeddings.position_ids": (1, 40),
                           "bert.pooler.dense.weight": (36, 36), "bert.pooler.dense.bias": (36,),
                           "cls.seq_relationship.weight": (2, 36)}),
    encoder("bert_hidden_states", hf.BertModel,
            sizes(32, 4, 44, length=40, hidden_act="gelu_new"), "bert", dtype="f32"),
    encoder("roberta", hf.RobertaForMaskedLM,
            sizes(36, 3, 44, length=42, hidden_act="gelu_new", layer_norm_eps=1e-5), "roberta",
            style=4),
    encoder("distilbert_untied", hf.DistilBertForMaskedLM,
            dict(vocab_size=97, dim=24, n_heads=2, hidden_dim=44, n_layers=2,
                 max_position_embeddings=40, activation="relu", tie_word_embeddings=False),
            "distilbert", dtype="f32", lengths=(17, 5, 1)),
]

DECODERS = [
    decoder("llama3_scaling", hf.LlamaForCausalLM,
            sizes(32, 4, 88, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True,
                  rms_norm_eps=0.03, eos_token_id=[2, 5], **rope(500.0, **LLAMA3)),
            "llama", lengths=(40, 9, 1)),
    decoder("llama_biases_linear_scaling", hf.LlamaForCausalLM,
            sizes(40, 5, 44, attention_bias=True, mlp_bias=True, hidden_act="gelu_pytorch_tanh",
                  **rope(10000.0, rope_type="linear", factor=2.5)),
            "llama", dtype="f16", style=4),
    decoder("llama_hidden_states", hf.LlamaModel,
            sizes(32, 4, 40, num_key_value_heads=1, **rope(10000.0)), "llama", dtype="f32",
            lengths=(11, 5, 1), modes=["encode"]),
    decoder("mistral_window", hf.MistralForCausalLM,
            sizes(32, 4, 88, num_key_value_heads=1, head_dim=10, sliding_window=5,
                  **rope(10000.0)), "mistral", style=4),
    decoder("qwen2_window_in_late_layers", hf.Qwen2ForCausalLM,
            sizes(48, 6, 44, layers=3, num_key_value_heads=2, use_sliding_window=True,
                  sliding_window=4, max_window_layers=1, tie_word_embeddings=True,
                  bos_token_id=0, eos_token_id=2, **rope(1e6)),
            "qwen2", style=4, rename_config={"layer_types": None},
            generation_config=dict(eos_token_id=[3, 2], pad_token_id=4, suppress_tokens=[9, 6])),
    decoder("qwen2_untied", hf.Qwen2ForCausalLM,
            sizes(32, 2, 88, num_key_value_heads=1, **rope(10000.0)), "qwen2", dtype="f16"),
    decoder("qwen3_window_by_layer_types", hf.Qwen3ForCausalLM,
            sizes(32, 4, 44, layers=3, num_key_value_heads=2, head_dim=16, use_sliding_window=True,
                  sliding_window=6, tie_word_embeddings=True, rms_norm_eps=1e-5,
                  layer_types=["full_attention", "sliding_attention", "full_attention"],
                  **rope(10000.0)), "qwen3"),
    decoder("qwen3_biases_untied", hf.Qwen3ForCausalLM,
            sizes(32, 2, 44, num_key_value_heads=2, head_dim=14, attention_bias=True,
                  **rope(10000.0)), "qwen3", dtype="f16", style=4),
]

DENOISERS = [
    denoiser("dream", hf.Qwen2ForCausalLM,
             sizes(32, 4, 88, num_key_value_heads=2, bos_token_id=0, eos_token_id=0,
                   **rope(10000.0)),
             "dream", "DreamModel", "Dream", ["full"], style=4, logit_shift=True,
             extra_config={"mask_token_id": 1}),
    denoiser("dream_dual_mode", hf.Qwen2ForCausalLM,
             sizes(32, 4, 40, num_key_value_heads=4, layers=2, tie_word_embeddings=True,
                   pad_token_id=2, **rope(10000.0)),
             "dream", "DreamModel", "Dream", ["full", "causal"], dtype="f32", logit_shift=True,
             lengths=(12, 5, 1),
             extra_config={"mask_token_id": 1, "dual_mode": True},
             generation_config={"suppress_tokens": [0, 1, 2]}),
    denoiser("llada_wide_logits", hf.LlamaForCausalLM,
             sizes(32, 4, 88, vocab=104, num_key_value_heads=2, rms_norm_eps=1e-5,
                   **rope(500000.0)),
             "llada", "LLaDAModelLM", "llada", ["full"], style=4, rename=LLADA_TENSORS,
             rename_config=LLADA_CONFIG, extra_config={**LLADA_SWITCHES, "mask_token_id": 99}),
    denoiser("llada_tied_qkv_bias", hf.Qwen2ForCausalLM,
             sizes(32, 4, 44, num_key_value_heads=4, tie_word_embeddings=True, **rope(10000.0)),
             "llada", "LLaDAModelLM", "llada", ["full"], style=4, rename=LLADA_TENSORS,
             rename_config=LLADA_CONFIG,
             extra_config={**LLADA_SWITCHES, "include_qkv_bias": True, "mask_token_id": 1}),
    denoiser("a2d_llama_blocks", hf.LlamaForCausalLM,
             sizes(32, 4, 88, num_key_value_heads=2, **rope(10000.0)), "a2d-llama",
             "A2DLlamaLMHeadModel", "a2d-llama", ["full", "block-causal"], block_length=4,
             extra_config={"block_size": 4}),
    denoiser("a2d_qwen2_blocks_of_32", hf.Qwen2ForCausalLM,
             sizes(32, 4, 44, num_key_value_heads=2, tie_word_embeddings=True, **rope(10000.0)),
             "a2d-qwen2", "A2DQwen2LMHeadModel", "a2d-qwen2", ["full", "block-causal"],
             dtype="f16", block_length=32, lengths=(40, 7, 1)),
    denoiser("a2d_qwen3_blocks", hf.Qwen3ForCausalLM,
             sizes(32, 4, 44, num_key_value_heads=2, head_dim=12, tie_word_embeddings=True,
                   **rope(10000.0)),
             "a2d-qwen3", "A2DQwen3LMHeadModel", "a2d-qwen3", ["full", "block-causal"], style=4,
             block_length=8, extra_config={"block_size": 8}),
]

FIXTURES = ENCODERS + DECODERS + DENOISERS
