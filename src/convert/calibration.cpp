#include "convert/calibration.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"
#include "base/random.h"
#include "engine/score_windows.h"
#include "model/recorder.h"

namespace aios {
namespace {

constexpr int32_t kWindow = 256;      // tokens
constexpr int32_t kMaxWindows = 128;  // more changes little: GPTQ uses 128 of 2,048 tokens
constexpr uint64_t kSeed = 0;

/// Sums of x x^T, or of x^2 alone, over the rows of the matrices asked for.
class MomentRecorder final : public Recorder {
 public:
  MomentRecorder(const std::set<std::string>& names, bool with_covariance, Backend& backend)
      : names_(names), with_covariance_(with_covariance), backend_(backend) {}

  void record(std::string_view tensor_name, std::span<const float> input,
              int64_t columns) override {
    const std::string name(tensor_name);
    if (!names_.contains(name)) return;
    Sums& sums = sums_[name];
    const auto depth = static_cast<std::size_t>(columns);
    const std::size_t num_rows = input.size() / depth;
    sums.moments.resize(depth);
    for (std::size_t i = 0; i < input.size(); ++i) {
      sums.moments[i % depth] += double{input[i]} * input[i];
    }
    sums.num_rows += static_cast<double>(num_rows);
    if (with_covariance_) add_products(transposed(input, num_rows, depth), columns, sums);
  }

  std::map<std::string, InputStatistics> take() {
    std::map<std::string, InputStatistics> statistics;
    for (auto& [name, sums] : sums_) {
      InputStatistics& result = statistics[name];
      for (const double moment : sums.moments) {
        result.second_moments.push_back(static_cast<float>(moment / sums.num_rows));
      }
      const auto factor = static_cast<float>(1 / sums.num_rows);
      for (float& product : sums.products) product *= factor;
      result.covariance = std::move(sums.products);
    }
    return statistics;
  }

 private:
  struct Sums {
    double num_rows = 0;
    std::vector<double> moments;  // [depth]
    std::vector<float> products;  // [depth, depth]
  };

  static std::vector<float> transposed(std::span<const float> x, std::size_t rows,
                                       std::size_t columns) {
    std::vector<float> y(x.size());
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t column = 0; column < columns; ++column) {
        y[column * rows + row] = x[row * columns + column];
      }
    }
    return y;
  }

  /// sums.products += Y Y^T, Y [depth, rows]: a linear map whose weights are its inputs.
  void add_products(const std::vector<float>& y, int64_t depth, Sums& sums) {
    const int64_t num_rows = std::ssize(y) / depth;
    const auto bytes = std::as_bytes(std::span(y));
    Linear linear;
    linear.weight =
        backend_.load({DType::kF32, {depth, num_rows}, bytes.data(), bytes.size(), nullptr});
    linear.in_features = num_rows;
    linear.out_features = depth;
    const BufferPtr input = backend_.allocate(depth, num_rows);
    backend_.write(y, *input, 0);
    const BufferPtr output = backend_.allocate(depth, depth);
    backend_.project(linear, Activation::kNone, depth, *input, *output);
    std::vector<float> products(static_cast<std::size_t>(depth * depth));
    backend_.read(*output, 0, products);
    sums.products.resize(products.size());
    std::ranges::transform(products, sums.products, sums.products.begin(), std::plus<>());
  }

  const std::set<std::string>& names_;
  bool with_covariance_;
  Backend& backend_;
  std::map<std::string, Sums> sums_;
};

}  // namespace

Calibration::Calibration(const LoadedModel& model, const std::string& text)
    : model_(model),
      backend_(make_cpu_backend(std::make_shared<ThreadPool>(), choose_isa(), ComputeType::kF32)) {
  const bool encodes = model.spec().has_mode(Mode::kEncode);
  encodes ? cut_lines(text) : cut_windows_of(text);
  if (sequences_.empty()) {
    throw ConfigError(
        "the calibration text is empty: some kilobytes of text like what the model "
        "will read are needed");
  }
  constexpr std::size_t kStep = 7;  // odd: unmasked and masked windows alternate
  for (std::size_t i = 0; i < sequences_.size(); i += kStep) part_.push_back(i);
  if (!encodes) return;
  for (const std::size_t i : part_) own_vectors_.push_back(vector_of(sequences_[i], model.core()));
}

void Calibration::cut_lines(const std::string& text) {
  const AttentionKind attention = model_.spec().attention_kinds.front();
  const auto limit = static_cast<std::size_t>(std::min(model_.max_length(), kWindow));
  std::size_t num_tokens = 0;
  for (std::size_t begin = 0; begin < text.size() && num_tokens < kMaxWindows * kWindow;) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    std::vector<int32_t> ids = model_.tokenizer().encode(line).ids;
    ids.resize(std::min(ids.size(), limit));
    num_tokens += ids.size();
    if (!ids.empty()) sequences_.push_back({std::move(ids), attention});
  }
}

void Calibration::cut_windows_of(const std::string& text) {
  const TokenRules& rules = model_.token_rules();
  if (text.empty()) return;
  const std::array documents = {text};
  const int32_t window = std::min(model_.max_length(), kWindow);
  const int32_t begin = rules.begin.value_or(rules.end.empty() ? 0 : rules.end.front());
  ScoreConfig config;
  config.max_windows = kMaxWindows;
  std::vector<TextWindow> windows =
      cut_windows(documents, model_.tokenizer(), begin, window, config);
  const bool diffuses = model_.spec().has_mode(Mode::kDiffuse) && rules.mask.has_value();
  const bool generates = model_.spec().has_mode(Mode::kGenerate);
  const PhiloxUniformSource random(kSeed);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    Sequence sequence{std::move(windows[i].token_ids), AttentionKind::kCausal};
    const bool masked = diffuses && (!generates || i % 2 == 1);
    const int32_t shift = !masked || model_.spec().logit_shift ? 1 : 0;
    if (masked) sequence.attention = model_.spec().attention_kinds.front();
    const double share = (static_cast<double>(i) + 0.5) / static_cast<double>(windows.size());
    for (std::size_t k = 1; k < sequence.token_ids.size(); ++k) {
      const auto position = static_cast<int32_t>(k);
      if (masked && random.uniform(static_cast<int32_t>(i), 0, position, 0) >= share) continue;
      sequence.rows.push_back(position - shift);
      sequence.targets.push_back(sequence.token_ids[k]);
      if (masked) sequence.token_ids[k] = *rules.mask;
    }
    if (sequence.token_ids.size() > 1) sequences_.push_back(std::move(sequence));
  }
}

double Calibration::loss(const InferenceCore& core) const {
  if (!own_vectors_.empty()) return distance(core);
  double nats = 0;
  std::size_t num_tokens = 0;
  for (const std::size_t index : part_) {
    const Sequence& sequence = sequences_[index];
    if (sequence.rows.empty()) continue;
    const SequenceInput input{.token_ids = sequence.token_ids};
    HeadRequest request;
    request.rows = sequence.rows;
    request.target_ids = sequence.targets;
    HeadResult result;
    core.score({&input, 1}, sequence.attention, request, result);
    for (const RowCandidates& row : result.candidates) nats -= row.target_log_prob;
    num_tokens += sequence.rows.size();
  }
  return num_tokens == 0 ? 0 : nats / static_cast<double>(num_tokens);
}

std::vector<float> Calibration::vector_of(const Sequence& sequence, const InferenceCore& core) {
  const SequenceInput input{.token_ids = sequence.token_ids};
  return core.pooled({&input, 1}, sequence.attention, PoolKind::kMean, true);
}

double Calibration::distance(const InferenceCore& core) const {
  double sum = 0;
  for (std::size_t i = 0; i < part_.size(); ++i) {
    const std::vector<float>& before = own_vectors_[i];
    const std::vector<float> after = vector_of(sequences_[part_[i]], core);
    sum += 1 - std::inner_product(before.begin(), before.end(), after.begin(), 0.0);
  }
  return sum / static_cast<double>(part_.size());
}

std::map<std::string, InputStatistics> Calibration::collect(
    const std::set<std::string>& tensor_names, bool with_covariance,
    const CancellationToken& cancellation) const {
  MomentRecorder recorder(tensor_names, with_covariance, *backend_);
  for (const Sequence& sequence : sequences_) {
    if (cancellation.cancelled()) throw CancelledError("calibration was cancelled");
    const SequenceInput input{.token_ids = sequence.token_ids};
    (void)model_.core().hidden_states({&input, 1}, sequence.attention, &recorder);
  }
  return recorder.take();
}

}  // namespace aios
