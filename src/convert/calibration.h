/// What a network's inputs look like: statistics of the rows that each weight matrix meets while
/// the network reads a text.
///
/// A denoiser reads windows of the text with a share of masks, from one window to the next evenly
/// from none to all (time-stratified: a diffusion model meets every share); one that also writes
/// from left to right reads every second window unmasked under causal attention; an encoder reads
/// lines, as it will.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "aios/config.h"
#include "backend/backend.h"
#include "engine/loaded_model.h"
#include "quant/arrow_quant.h"

namespace aios {

class Calibration {
 public:
  /// @param model outlives this
  /// @throws ConfigError if the text has no tokens; TokenizerError if it is not UTF-8
  Calibration(const LoadedModel& model, const std::string& text);

  /// Reads the text once more and gathers the statistics of these matrices, by tensor name.
  /// @param with_covariance else second moments alone
  /// @throws CancelledError
  [[nodiscard]] std::map<std::string, InputStatistics> collect(
      const std::set<std::string>& tensor_names, bool with_covariance,
      const CancellationToken& cancellation) const;

  /// What a network with other weights loses on a part of the text: nats for each token that comes
  /// next or is masked; of an encoder the mean of 1 - cosine to the model's own vectors.
  [[nodiscard]] double loss(const InferenceCore& core) const;

 private:
  struct Sequence {
    std::vector<int32_t> token_ids;
    AttentionKind attention;
    std::vector<int32_t> rows{};     // of the scores that are asked for
    std::vector<int32_t> targets{};  // and the tokens that belong there
  };
  [[nodiscard]] static std::vector<float> vector_of(const Sequence& sequence,
                                                    const InferenceCore& core);
  [[nodiscard]] double distance(const InferenceCore& core) const;
  void cut_lines(const std::string& text);
  void cut_windows_of(const std::string& text);

  const LoadedModel& model_;
  std::vector<Sequence> sequences_;
  std::vector<std::size_t> part_;                // indices of the sequences that `loss` reads
  std::vector<std::vector<float>> own_vectors_;  // of an encoder, for each of `part_`
  std::shared_ptr<Backend> backend_;             // multiplies inputs with inputs
};

}  // namespace aios
