#include "cli/answers.h"

namespace aios {
namespace {

const char* name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::kLength:
      return "length";
    case FinishReason::kEndOfText:
      return "end_of_text";
    case FinishReason::kStopString:
      return "stop_string";
  }
  return "";
}

}  // namespace

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const PhaseSeconds& seconds) {
  return {{"tokenize", seconds.tokenize},
          {"prompt", seconds.prompt},
          {"compute", seconds.compute},
          {"total", seconds.total}};
}

Json to_json(std::span<const std::string> texts, const EncodeResult& result) {
  Json answer = {{"dimension", result.dimension}, {"embeddings", Json::array()}};
  int64_t num_tokens = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    answer["embeddings"].push_back({{"text", texts[i]},
                                    {"num_tokens", result.num_tokens[i]},
                                    {"truncated", static_cast<bool>(result.truncated[i])},
                                    {"embedding", result.embedding(i)}});
    num_tokens += result.num_tokens[i];
  }
  answer["seconds"] = to_json(result.seconds);
  const double compute = result.seconds.compute;
  answer["tokens_per_second"] = compute > 0 ? static_cast<double>(num_tokens) / compute : 0.0;
  return answer;
}

Json to_json(const GenerationResults& results, std::size_t index) {
  const GenerationResult& sample = results.samples[index];
  Json answer = {{"sample", index},
                 {"text", sample.text},
                 {"token_ids", sample.token_ids},
                 {"num_steps", sample.token_ids.size()},
                 {"finish_reason", name_of(sample.finish_reason)},
                 {"num_prompt_tokens", sample.num_prompt_tokens},
                 {"num_cached_tokens", results.num_cached_tokens},
                 {"seconds", to_json(results.seconds)},
                 {"tokens_per_second", results.tokens_per_second}};
  if (!sample.logprobs.empty()) answer["logprobs"] = sample.logprobs;
  return answer;
}

Json to_json(const DiffusionResults& results, std::size_t index) {
  const DiffusionResult& sample = results.samples[index];
  Json answer = {{"sample", index}, {"text", sample.text}, {"token_ids", sample.token_ids}};
  if (!sample.holes.empty()) answer["holes"] = sample.holes;
  answer["num_steps"] = sample.num_steps;
  answer["finish_reason"] = name_of(sample.finish_reason);
  answer["num_prompt_tokens"] = sample.num_prompt_tokens;
  answer["num_forward_passes"] = results.num_forward_passes;
  answer["seconds"] = to_json(results.seconds);
  answer["tokens_per_second"] = results.tokens_per_second;
  if (!sample.logprobs.empty()) answer["logprobs"] = sample.logprobs;
  return answer;
}

Json to_json(const ScoreResult& result) {
  return {{"num_windows", result.num_windows},       {"num_tokens", result.num_tokens},
          {"num_bytes", result.num_bytes},           {"nats_per_token", result.nats_per_token},
          {"standard_error", result.standard_error}, {"nats_per_byte", result.nats_per_byte},
          {"bits_per_byte", result.bits_per_byte},   {"perplexity", result.perplexity},
          {"window_nats", result.window_nats},       {"seconds", to_json(result.seconds)}};
}

Json to_json(const ConvertReport& report) {
  Json losses = Json::object();
  for (const auto& [name, before, after] : report.losses) {
    losses[name] = {{"before", before}, {"after", after}};
  }
  return {{"num_tensors", report.num_tensors},
          {"num_parameters", report.num_parameters},
          {"input_bytes", report.input_bytes},
          {"output_bytes", report.output_bytes},
          {"bits_per_weight", report.bits_per_weight},
          {"weight_error", report.weight_error},
          {"losses", losses}};
}

Json to_json(const ProbeReport& report) {
  Json tensors = Json::array();
  for (const ProbeReport::Tensor& tensor : report.tensors) {
    Json widths = Json::object();
    for (const ProbeReport::Width& width : tensor.widths) {
      widths[width.quant_type] = {{"bits", width.bits},
                                  {"output_error", width.output_error},
                                  {"loss_change", width.loss_change}};
    }
    tensors.push_back({{"name", tensor.name},
                       {"kind", tensor.kind},
                       {"layer", tensor.layer},
                       {"num_parameters", tensor.num_parameters},
                       {"widths", widths}});
  }
  return {{"tensors", tensors}};
}

Json to_json(const ModelSummary& summary) {
  Json tensors = Json::array();
  for (const TensorSummary& tensor : summary.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"quant_type", tensor.quant_type},
                       {"group_size", tensor.group_size},
                       {"dtype", tensor.dtype},
                       {"num_bytes", tensor.num_bytes}});
  }
  return {{"family", summary.family},       {"format", summary.format},
          {"modes", summary.modes},         {"num_parameters", summary.num_parameters},
          {"num_bytes", summary.num_bytes}, {"tensors", tensors}};
}

}  // namespace aios
