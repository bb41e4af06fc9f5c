#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/text_file.h"
#include "base/thread_pool.h"
#include "tokenizer/decoding.h"
#include "tokenizer/encode.h"
#include "tokenizer/file_limits.h"
#include "tokenizer/formats/other_formats.h"
#include "tokenizer/json_node.h"
#include "tokenizer/parsed_tokenizer.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/table_blocks.h"
#include "tokenizer/tokenizer_cache.h"

namespace aios {

using tokenizer::JsonNode;
using tokenizer::kMaxConfigBytes;
using tokenizer::kMaxTokenizerBytes;
using tokenizer::ModelTables;
using tokenizer::parse_json;
using tokenizer::ParsedTokenizer;
using tokenizer::SourceChecksum;

struct FastTokenizer::Implementation {
  std::shared_ptr<const MappedFile> mapping;  // of the pipeline's tables, if they come from a cache
  tokenizer::Pipeline pipeline;
  SpecialTokens special_tokens;
  tokenizer::Padding padding;
  TokenizeOptions stored_options;
  std::mutex pool_mutex;
  std::shared_ptr<ThreadPool> pool;  // of the last batch that asked for threads

  /// `json` is the document's node.
  /// `tables` and `saved` as in `Pipeline`.
  Implementation(const JsonNode& json, const std::vector<JsonNode>& configs,
                 const ModelTables& tables, tokenizer::BlockReader* saved = nullptr)
      : pipeline(json, tables, saved),
        special_tokens(read_special_tokens(configs, pipeline)),
        stored_options(tokenizer::read_options(json)) {
    padding.id = special_tokens.pad.value_or(-1);
    if (const auto stored = json.find("padding")) {
      const auto last = int64_t{pipeline.id_bound()} - 1;
      padding.id = static_cast<int32_t>(stored->at("pad_id").as_integer(0, last));
      if (const auto type_id = stored->find("pad_type_id")) {
        padding.type_id = tokenizer::read_token_id(*type_id);
      }
    }
  }
};

namespace {

/// The files beside tokenizer.json that name special tokens, as far as they exist.
std::vector<std::pair<std::string, nlohmann::json>> read_configs(
    const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, nlohmann::json>> configs;
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const std::filesystem::path path = folder / name;
    if (!std::filesystem::exists(path)) continue;
    configs.emplace_back(path.string(),
                         parse_json(read_text_file(path.string(), kMaxConfigBytes), path.string()));
  }
  return configs;
}

/// Below this size reading a file takes no longer than looking for its cache.
constexpr std::uintmax_t kSmallestCached = std::uintmax_t{1} << 20U;

using ImplementationPointer = std::unique_ptr<FastTokenizer::Implementation>;

/// From the cache of `path`; nullptr if there is none, or none that fits.
/// @param source of the bytes that the file has now
ImplementationPointer load_cached(const std::string& path,
                                  std::shared_future<SourceChecksum> source,
                                  const std::vector<JsonNode>& configs) {
  const auto cached = tokenizer::read_cache(path);
  if (!cached || cached->source != source.get()) return nullptr;
  try {
    tokenizer::BlockReader reader(cached->tables);
    auto result = std::make_unique<FastTokenizer::Implementation>(JsonNode(cached->rest, path),
                                                                  configs, ModelTables{}, &reader);
    result->mapping = cached->mapping;
    return result;
  } catch (const FormatError&) {
    return nullptr;  // made by other means than ours; tokenizer.json itself decides
  }
}

ImplementationPointer load_file(const std::string& path, const std::vector<JsonNode>& configs) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  const bool is_cached = !ignored && size >= kSmallestCached && size <= kMaxTokenizerBytes;
  std::shared_future<SourceChecksum> source;
  if (is_cached) {
    // Beside the reading of the cache, which takes as long; here, where no thread can be had.
    source =
        std::async(std::launch::async | std::launch::deferred, tokenizer::checksum_of_file, path);
    if (auto result = load_cached(path, source, configs)) return result;
  }
  const std::string text = read_text_file(path, kMaxTokenizerBytes);
  const auto document = ParsedTokenizer::parse(text, path);
  auto result = std::make_unique<FastTokenizer::Implementation>(JsonNode(document.rest(), path),
                                                                configs, document.tables());
  if (is_cached && tokenizer::checksum_of(text) == source.get()) {
    tokenizer::BlockWriter writer;
    result->pipeline.save(writer);
    tokenizer::write_cache(path, source.get(), document.rest(), writer.bytes());
  }
  return result;
}

Encoding encode_texts(const FastTokenizer::Implementation& implementation,
                      std::span<const std::string_view> texts, const TokenizeOptions& options) {
  check_options(options, implementation.padding);
  const auto work = implementation.pipeline.lend();
  Encoding encoding = tokenizer::encode(implementation.pipeline, texts, options, *work);
  pad({&encoding, 1}, options, implementation.padding);
  return encoding;
}

/// Texts are handed out in runs, so that a thread takes a workspace for many short ones.
constexpr int64_t kRunsPerThread = 16;

std::shared_ptr<ThreadPool> pool_of(FastTokenizer::Implementation& implementation,
                                    int num_threads) {
  const std::lock_guard lock(implementation.pool_mutex);
  std::shared_ptr<ThreadPool>& pool = implementation.pool;
  if (!pool || (num_threads > 0 && pool->num_threads() != num_threads)) {
    pool = std::make_shared<ThreadPool>(num_threads);
  }
  return pool;
}

}  // namespace

FastTokenizer FastTokenizer::from_file(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path file(path);
  if (fs::is_directory(file)) file /= "tokenizer.json";
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  auto configs = read_configs(folder);
  std::optional<tokenizer::TokenizerDocument> other;
  if (tokenizer::is_model_file(file)) {
    other = tokenizer::read_model_file(file);
  } else if (!fs::exists(file)) {
    other = tokenizer::read_other_format(folder);
  }
  if (other) configs.emplace_back(folder.string(), std::move(other->roles));
  std::vector<JsonNode> nodes;
  for (const auto& [name, config] : configs) nodes.emplace_back(config, name);
  if (!other) return FastTokenizer(load_file(file.string(), nodes));
  const ParsedTokenizer document(std::move(other->document), folder.string());
  return FastTokenizer(std::make_unique<Implementation>(JsonNode(document.rest(), folder.string()),
                                                        nodes, document.tables()));
}

bool FastTokenizer::found_in(const std::string& directory) {
  const std::filesystem::path folder(directory);
  return std::filesystem::exists(folder / "tokenizer.json") || tokenizer::has_other_format(folder);
}

FastTokenizer FastTokenizer::from_json(std::string_view json) {
  const std::string name = "tokenizer.json";
  const auto document = ParsedTokenizer::parse(json, name);
  return FastTokenizer(std::make_unique<Implementation>(
      JsonNode(document.rest(), name), std::vector<JsonNode>{}, document.tables()));
}

FastTokenizer::FastTokenizer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
FastTokenizer::FastTokenizer(FastTokenizer&&) noexcept = default;
FastTokenizer& FastTokenizer::operator=(FastTokenizer&&) noexcept = default;
FastTokenizer::~FastTokenizer() = default;

Encoding FastTokenizer::encode(std::string_view text, const TokenizeOptions& options) const {
  return encode_texts(*implementation_, {&text, 1}, options);
}

Encoding FastTokenizer::encode_pair(std::string_view first, std::string_view second,
                                    const TokenizeOptions& options) const {
  return encode_texts(*implementation_, std::array{first, second}, options);
}

std::vector<Encoding> FastTokenizer::encode_batch(std::span<const std::string> texts,
                                                  const TokenizeOptions& options,
                                                  int num_threads) const {
  check_options(options, implementation_->padding);
  std::vector<Encoding> encodings(texts.size());
  const auto encode_run = [&](std::size_t begin, std::size_t end) {
    const auto work = implementation_->pipeline.lend();
    for (std::size_t i = begin; i < end; ++i) {
      const std::string_view text = texts[i];
      encodings[i] = tokenizer::encode(implementation_->pipeline, {&text, 1}, options, *work);
    }
  };
  if (num_threads == 1 || texts.size() < 2) {
    encode_run(0, texts.size());
  } else {
    const std::shared_ptr<ThreadPool> pool = pool_of(*implementation_, num_threads);
    const std::size_t num_runs =
        std::min(texts.size(), static_cast<std::size_t>(pool->num_threads() * kRunsPerThread));
    std::vector<std::exception_ptr> errors(num_runs);
    pool->parallel_for(static_cast<int64_t>(num_runs), [&](int64_t chunk) {
      const auto run = static_cast<std::size_t>(chunk);
      try {
        encode_run(texts.size() * run / num_runs, texts.size() * (run + 1) / num_runs);
      } catch (...) {
        errors[run] = std::current_exception();
      }
    });
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }
  pad(encodings, options, implementation_->padding);
  return encodings;
}

std::string FastTokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  tokenizer::Decoding decoding(implementation_->pipeline, skip_special);
  for (const int32_t id : ids) decoding.push(id);
  decoding.finish();
  return decoding.take();
}

int32_t FastTokenizer::vocab_size() const { return implementation_->pipeline.id_bound(); }

std::optional<int32_t> FastTokenizer::token_to_id(std::string_view token) const {
  return implementation_->pipeline.find(token);
}

std::optional<std::string> FastTokenizer::id_to_token(int32_t id) const {
  const auto text = implementation_->pipeline.text(id);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

bool FastTokenizer::is_special(int32_t id) const {
  return implementation_->pipeline.is_special(id);
}

const SpecialTokens& FastTokenizer::special_tokens() const {
  return implementation_->special_tokens;
}

const TokenizeOptions& FastTokenizer::stored_options() const {
  return implementation_->stored_options;
}

struct StreamingDecoder::State {
  tokenizer::Decoding decoding;
};

StreamingDecoder::StreamingDecoder(const FastTokenizer& tokenizer, bool skip_special)
    : state_(std::make_unique<State>(
          State{tokenizer::Decoding(tokenizer.implementation_->pipeline, skip_special)})) {}
StreamingDecoder::StreamingDecoder(StreamingDecoder&&) noexcept = default;
StreamingDecoder& StreamingDecoder::operator=(StreamingDecoder&&) noexcept = default;
StreamingDecoder::~StreamingDecoder() = default;

std::string StreamingDecoder::push(int32_t id) {
  state_->decoding.push(id);
  return state_->decoding.take();
}

std::string StreamingDecoder::finish() {
  state_->decoding.finish();
  return state_->decoding.take();
}

}  // namespace aios
