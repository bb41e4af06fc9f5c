/// What a network is, as data: the one thing that differs between architectures.
///
/// A file in `architectures/` turns one family's `config.json` into this struct; `Transformer`
/// reads nothing else. Names and meanings are those of Hugging Face configurations. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace aios {

/// What a network was made for. Infilling goes with `kDiffuse`, scoring with either of the last
/// two.
enum class Mode { kEncode, kGenerate, kDiffuse };

/// `kPre`: the input of each block is normalised, and the last hidden state (Llama).
/// `kPost`: the embedding is normalised, and the output of each block (BERT).
enum class NormPlacement { kPre, kPost };

enum class PositionKind { kRotary, kLearned };

/// `kLinear`: frequencies / factor. `kLlama3`: only the low ones, with a smooth transition.
enum class RopeScaling { kNone, kLinear, kLlama3 };

/// Rotary position embedding; formulas in rotary.h.
struct RopeSpec {
  double theta = 10000.0;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;                           // kLinear, kLlama3
  double low_freq_factor = 1.0;                  // kLlama3
  double high_freq_factor = 4.0;                 // kLlama3
  int64_t original_max_position_embeddings = 0;  // kLlama3
};

/// `kLinear`: logits = W h (+ b). `kTransform`: logits = W norm(activation(D h + d)) + b (BERT).
enum class HeadKind { kNone, kLinear, kTransform };

/// Ids that config.json and generation_config.json give; what they leave out is the tokenizer's.
struct TokenIds {
  std::optional<int32_t> begin;
  std::vector<int32_t> end;  ///< any of these ends a text
  std::optional<int32_t> pad;
  std::optional<int32_t> mask;
  std::vector<int32_t> suppressed;  ///< never to be sampled (`suppress_tokens`), ascending
};

/// Names of tensors in the checkpoint, without `.weight` and `.bias`; `{}` is the layer's number.
/// Names of parts that the network lacks are not looked at.
struct TensorNames {
  std::vector<std::string> prefixes;  ///< of all but the head; the first that fits is used

  std::string token_embedding;
  std::string position_embedding;
  std::string type_embedding;
  std::string embedding_norm;

  std::string attention_norm;
  std::string query;
  std::string key;
  std::string value;
  std::string query_norm;
  std::string key_norm;
  std::string attention_output;
  std::string mlp_norm;
  std::string gate;
  std::string up;
  std::string down;

  std::string final_norm;

  std::string head;  ///< without a prefix, as the three below
  std::string head_transform;
  std::string head_norm;
  std::vector<std::string> head_bias;  ///< whole names; the first that the file has is used

  std::vector<std::string> ignored;  ///< tensors whose names contain one of these are not for us
};

struct ModelSpec {
  std::string family;  ///< e.g. `qwen2`
  std::vector<Mode> modes;
  /// What `InferenceCore` may be asked for; the first is the default.
  std::vector<AttentionKind> attention_kinds;
  /// As a denoiser, row i predicts token i + 1. (Under causal attention every model's row does.)
  bool logit_shift = false;
  TokenIds tokens;

  int64_t vocab_size = 0;  ///< rows of the token embedding and width of the logits
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;

  PositionKind position_kind = PositionKind::kRotary;
  int64_t max_position_embeddings = 0;  ///< rows of the table of learned positions
  int64_t position_offset = 0;          ///< the first token's position (RoBERTa: 2)
  /// The id position_offset - 1 is a pad: it stands at that position and is not counted (RoBERTa).
  bool skip_pad_positions = false;
  int64_t type_vocab_size = 0;  ///< 0: no embedding of token types; else all tokens have type 0
  RopeSpec rope;

  NormKind norm_kind = NormKind::kRmsNorm;
  NormPlacement norm_placement = NormPlacement::kPre;
  double norm_epsilon = 1e-6;
  bool query_key_norm = false;  ///< a norm over each head of queries and keys, before rotation
  bool query_key_value_bias = false;
  bool attention_output_bias = false;
  bool mlp_bias = false;
  bool gated_mlp = true;
  Activation activation = Activation::kSilu;

  /// Per layer, 0: none. With w > 0 a query sees itself and the w - 1 tokens before it. Applies to
  /// causal attention only: as a denoiser every token sees every other, in all layers (so do
  /// transformers under a given 4-D mask, and dLLM's A2D models).
  std::vector<int32_t> sliding_windows;
  int32_t block_length = 0;  ///< tokens per block of block-causal attention; 0: not allowed

  HeadKind head = HeadKind::kLinear;
  bool head_bias = false;
  Activation head_activation = Activation::kNone;  ///< kTransform
  /// The token embedding is the head's matrix too, unless the file has one.
  bool tie_word_embeddings = false;

  TensorNames names;

  /// Tokens that one sequence may have.
  [[nodiscard]] int64_t context_length() const noexcept {
    return max_position_embeddings - position_offset;
  }
  [[nodiscard]] bool allows(AttentionKind kind) const noexcept;
  [[nodiscard]] bool has_mode(Mode mode) const noexcept;
};

/// Chooses the architecture by `architectures`, or by `model_type` where that is absent.
/// @param generation_config_json text of generation_config.json, or empty
/// @throws FormatError naming the key, what it holds and what it should; for an unknown
///         architecture it names the known ones
[[nodiscard]] ModelSpec parse_model_spec(const std::string& config_json,
                                         const std::string& generation_config_json = {});

/// What `parse_model_spec` guarantees, for a spec changed by hand: sizes are positive, fit each
/// other, and no product of two overflows. @throws FormatError
void check_model_spec(const ModelSpec& spec);

/// `encode`, `generate`, `diffuse`.
[[nodiscard]] const char* mode_name(Mode mode) noexcept;
/// `full`, `causal`, `block-causal`.
[[nodiscard]] const char* attention_kind_name(AttentionKind kind) noexcept;

}  // namespace aios
