/// Model directories on disk: convert, export, inspect, verify.
///
/// Functions only; each opens what it needs and closes it again. Safe to call from several threads
/// on different output directories. Formats: docs/formats/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aios/config.h"

namespace aios {

/// How weights are rounded. `kNearest`: on the grid from each block's smallest to its largest
/// weight. `kLeastSquares`: on the grid of least squared error. `kGptq`: the same, and the errors
/// of earlier columns are made good by later ones (arXiv 2210.17323); needs a calibration text.
enum class Rounding { kNearest, kLeastSquares, kGptq };

struct ConvertOptions {
  std::string dtype = "keep";  ///< keep | f32 | bf16 | f16 | int8 | int4 | int2
  int32_t group_size = -1;     ///< weights that share a scale: 32, 64, 128, or 0 for whole
                               ///< rows; -1: whole rows at int8, 128 at int4 and int2
  /// Nothing: by GPTQ with a calibration text, by least squares without.
  std::optional<Rounding> rounding;
  /// Average bits of a quantised weight, above 2.63; 0: `dtype` decides. Each matrix gets 2, 4 or 8
  /// bits by what it costs on the calibration text (`probe_model`), which is needed.
  double target_bits = 0;
  /// A text like what the model will read, for int8, int4 and int2; empty: none. It weighs errors
  /// by the inputs that each weight meets.
  std::string calibration_text;
  /// A text to score before and after; empty: none. It should not be the calibration text.
  std::string eval_text;
  bool overwrite = false;     ///< replace an existing output directory
  ProgressCallback progress;  ///< in bytes of input
  CancellationToken cancellation;
};

struct ConvertReport {
  int64_t num_tensors = 0;
  int64_t num_parameters = 0;
  int64_t input_bytes = 0;   ///< of all tensors
  int64_t output_bytes = 0;  ///< of the file of weights
  double bits_per_weight = 0;
  /// Of the quantised weights: the sum of squared errors over the sum of squares.
  double weight_error = 0;
  /// What `eval_text` costs before and after, by what the model is made for.
  struct Loss {
    std::string name;  ///< `perplexity`, `nelbo` (nats per token), `cosine` (to the vectors before)
    double before = 0;
    double after = 0;
  };
  std::vector<Loss> losses;
};

/// Writes a V2 model directory from a model directory of any supported kind. The output appears
/// whole or not at all: files are written to temporary names, fsynced and renamed.
/// @throws IoError, FormatError, ConfigError, InferenceError
ConvertReport convert_model(const std::string& input_directory, const std::string& output_directory,
                            const ConvertOptions& options = {});

struct ExportOptions {
  bool overwrite = false;     ///< replace an existing output directory
  ProgressCallback progress;  ///< in bytes of weights
  CancellationToken cancellation;
};

/// The way back: writes a Hugging Face folder (model.safetensors and the files beside it) from a
/// model directory of any supported kind. Tensors keep their names, types and bytes; quantised ones
/// become the f32 that they stand for. The output appears whole or not at all.
/// @throws IoError, FormatError, ConfigError, CancelledError
ConvertReport export_model(const std::string& input_directory, const std::string& output_directory,
                           const ExportOptions& options = {});

struct ProbeOptions {
  std::string calibration_text;  ///< a text like what the model will read; must not be empty
  ProgressCallback progress;     ///< in matrices
  CancellationToken cancellation;
};

/// How sensitive a model is to the rounding of one of its matrices, all others left as they are.
struct ProbeReport {
  struct Width {
    std::string quant_type;   ///< int2 | int4 | int8
    double bits = 0;          ///< of a weight, scales included
    double output_error = 0;  ///< relative squared error of what the matrix gives
    double loss_change = 0;   ///< nats per token; of an encoder: of 1 - cosine to its own vectors
  };
  struct Tensor {
    std::string name;
    std::string kind;    ///< token_embedding, head, query, key, value, attention_output, ...
    int64_t layer = -1;  ///< -1 outside of layers
    int64_t num_parameters = 0;
    std::vector<Width> widths;
  };
  std::vector<Tensor> tensors;
};

/// @throws ConfigError without a calibration text; IoError, FormatError, CancelledError
ProbeReport probe_model(const std::string& directory, const ProbeOptions& options);

/// The report as a picture: layers by kinds of matrices, coloured by the loss at `quant_type`. SVG.
/// @throws ConfigError if the report has no such width
std::string probe_heat_map(const ProbeReport& report, const std::string& quant_type);

struct TensorSummary {
  std::string name;
  std::vector<int64_t> shape;
  std::string dtype;       ///< of the elements, or what they were before
  std::string quant_type;  ///< none | int8 | int4 | int2
  int32_t group_size = 0;  ///< of a quantised tensor; 0: whole rows
  int64_t num_bytes = 0;
};

struct ModelSummary {
  std::string family;              ///< e.g. `qwen2`
  std::string format;              ///< `parquet_v2`, `parquet_v1` or `safetensors`
  std::vector<std::string> modes;  ///< what it can do: encode, generate, diffuse, infill, ...
  int64_t num_parameters = 0;
  int64_t num_bytes = 0;
  std::vector<TensorSummary> tensors;
};

/// @throws IoError, FormatError
ModelSummary inspect_model(const std::string& directory);

struct VerifyReport {
  int64_t num_tensors = 0;
  int64_t num_bytes = 0;  ///< of the files checked; without checksums, of the tensors
};

/// Reads every byte: page checksums of Parquet, file checksums of metadata.json.
/// @throws IoError, FormatError at the first byte that is wrong
VerifyReport verify_model(const std::string& directory, const ProgressCallback& progress = {});

}  // namespace aios
