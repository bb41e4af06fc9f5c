#include "model/packed_batch.h"

#include <limits>
#include <set>
#include <string>

#include "aios/error.h"

namespace aios {
namespace {

void check_length(const SequenceInput& sequence, const std::string& name, const ModelSpec& spec) {
  if (sequence.token_ids.empty()) throw InferenceError(name + " is empty; give it a token");
  const int64_t held = sequence.cache == nullptr ? 0 : sequence.cache->length();
  if (sequence.begin() < 0 || sequence.begin() > held) {
    throw InferenceError(name + " replaces tokens from " + std::to_string(sequence.begin()) +
                         " on where its cache holds " + std::to_string(held));
  }
  const int64_t length = sequence.begin() + std::ssize(sequence.token_ids);
  if (length > spec.context_length()) {
    throw InferenceError(name + " has " + std::to_string(length) +
                         " tokens where this model's context is " +
                         std::to_string(spec.context_length()) + "; shorten the text");
  }
  if (sequence.cache != nullptr && length > sequence.cache->capacity()) {
    throw InferenceError(name + " has " + std::to_string(length) +
                         " tokens where its cache holds " +
                         std::to_string(sequence.cache->capacity()) + "; make a larger one");
  }
}

void check_ids(const SequenceInput& sequence, const std::string& name, const ModelSpec& spec) {
  for (std::size_t i = 0; i < sequence.token_ids.size(); ++i) {
    const int32_t id = sequence.token_ids[i];
    if (id >= 0 && id < spec.vocab_size) continue;
    throw InferenceError("token " + std::to_string(i) + " of " + name + " is " +
                         std::to_string(id) + ", outside this model's vocabulary of " +
                         std::to_string(spec.vocab_size) +
                         "; the tokenizer may belong to another model");
  }
}

/// Positions of one sequence, appended. See `ModelSpec::skip_pad_positions`.
void append_positions(const SequenceInput& sequence, const ModelSpec& spec,
                      std::vector<int32_t>& positions) {
  auto next = static_cast<int32_t>(spec.position_offset + sequence.begin());
  const auto pad = static_cast<int32_t>(spec.position_offset - 1);
  for (const int32_t id : sequence.token_ids) {
    const bool skipped = spec.skip_pad_positions && id == pad;
    positions.push_back(skipped ? pad : next++);
  }
}

}  // namespace

PackedBatch pack(std::span<const SequenceInput> sequences, const ModelSpec& spec) {
  if (sequences.empty()) throw InferenceError("a call needs at least one sequence");
  PackedBatch batch;
  batch.starts.push_back(0);
  std::set<const KVCache*> caches;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const SequenceInput& sequence = sequences[s];
    const std::string name = "sequence " + std::to_string(s);
    check_length(sequence, name, spec);
    check_ids(sequence, name, spec);
    if (sequence.cache != nullptr && !caches.insert(sequence.cache).second) {
      throw InferenceError(name + " shares its cache with another; each needs its own");
    }
    const std::size_t num_tokens = batch.token_ids.size() + sequence.token_ids.size();
    if (num_tokens > std::size_t{std::numeric_limits<int32_t>::max()}) {
      throw InferenceError("a call cannot have more than 2^31 - 1 tokens; split the batch");
    }
    batch.token_ids.insert(batch.token_ids.end(), sequence.token_ids.begin(),
                           sequence.token_ids.end());
    append_positions(sequence, spec, batch.positions);
    batch.starts.push_back(static_cast<int32_t>(num_tokens));
    batch.caches.push_back(sequence.cache);
    batch.begins.push_back(sequence.begin());
  }
  return batch;
}

}  // namespace aios
