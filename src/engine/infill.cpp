#include <algorithm>
#include <numeric>
#include <utility>

#include "aios/error.h"
#include "engine/canvas_text.h"
#include "engine/diffuse.h"
#include "engine/diffusion_call.h"

namespace aios {
namespace {

/// A segment's place in the canvas: tokens [begin, end).
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool is_hole(const InfillSegment& segment) { return segment.max_tokens > 0; }

void check_segments(std::span<const InfillSegment> segments) {
  bool has_hole = false;
  for (const InfillSegment& segment : segments) {
    if (!is_hole(segment)) continue;
    has_hole = true;
    if (segment.min_tokens < 1 || segment.min_tokens > segment.max_tokens) {
      throw ConfigError("holes: " + std::to_string(segment.min_tokens) + " to " +
                        std::to_string(segment.max_tokens) + " tokens is no range of lengths");
    }
    if (!segment.text.empty()) throw ConfigError("holes: a hole has no text of its own");
  }
  if (!has_hole) throw ConfigError("holes: the text has no hole; write one as [[8]] or [[3-12]]");
}

/// The template's ids around the segments, each tokenized by itself.
/// @param front the template's first ids and those of the prompt
std::vector<CanvasSegment> to_canvas_segments(const LoadedModel& model, std::vector<int32_t> front,
                                              std::span<const InfillSegment> segments) {
  std::vector<CanvasSegment> pieces;
  pieces.push_back({.token_ids = std::move(front)});
  for (const InfillSegment& segment : segments) {
    CanvasSegment& piece = pieces.emplace_back();
    if (is_hole(segment)) {
      piece.min_tokens = segment.min_tokens;
      piece.max_tokens = segment.max_tokens;
      piece.text_may_end = &segment == &segments.back();
    } else {
      piece.token_ids = tokenize_given(model, segment.text);
    }
  }
  pieces.push_back({.token_ids = model.token_rules().suffix});
  return pieces;
}

/// Where each segment stands in the canvas.
std::vector<Place> places_of(std::span<const CanvasSegment> pieces,
                             std::span<const int32_t> hole_lengths) {
  std::vector<Place> places;
  std::size_t at = 0;
  std::size_t hole = 0;
  for (const CanvasSegment& piece : pieces) {
    const std::size_t length =
        piece.is_hole() ? static_cast<std::size_t>(hole_lengths[hole++]) : piece.token_ids.size();
    places.push_back({at, at + length});
    at += length;
  }
  return {places.begin() + 1, places.end() - 1};  // without the template
}

/// The whole text and the text of each hole.
void assemble(const FastTokenizer& tokenizer, std::span<const InfillSegment> segments,
              std::span<const Place> places, const std::vector<std::string>& stop,
              FilledCanvas& filled, DiffusionResult& result) {
  std::vector<int32_t>& ids = filled.token_ids;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!is_hole(segments[i])) {
      result.text += segments[i].text;
      continue;
    }
    const std::size_t end = std::min(places[i].end, ids.size());  // the text may have ended in it
    const std::size_t begin = std::min(places[i].begin, end);
    const std::string_view before = i > 0 ? std::string_view(segments[i - 1].text) : "";
    std::string text = text_of_hole(tokenizer, ids, begin, end, before);
    const bool last = i + 1 == segments.size();
    if (last && cut_at_stop(stop, text, result)) {
      ids.resize(end);
      cut_to_text(tokenizer, begin, text.size(), ids);
    }
    result.text += text;
    result.holes.push_back(std::move(text));
  }
  result.token_ids = ids;
  result.logprobs = filled.logprobs;
  result.logprobs.resize(ids.size());
}

/// Takes the prompt out of what is given token by token.
void leave_out(const Place& prompt, DiffusionResult& result) {
  const auto erase = [&](auto& values) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(prompt.begin);
    values.erase(begin, begin + static_cast<std::ptrdiff_t>(prompt.end - prompt.begin));
  };
  erase(result.token_ids);
  erase(result.logprobs);
}

}  // namespace

DiffusionResults fill_segments(const LoadedModel& model, const DiffusionPrompt& prompt,
                               std::span<const InfillSegment> segments,
                               const DiffusionConfig& config, const StepCallback& on_step) {
  DiffusionCall call(model, config);
  check_segments(segments);
  const std::vector<CanvasSegment> pieces =
      to_canvas_segments(model, call.begin_with(prompt), segments);
  const Place prompt_place = {model.token_rules().prefix.size(), pieces.front().token_ids.size()};
  const std::vector<int32_t> lengths = call.choose_lengths(pieces);
  const Canvas canvas = make_canvas(pieces, lengths);
  const std::vector<Place> places = places_of(pieces, lengths);
  return call.fill(canvas, on_step, [&](FilledCanvas& filled, DiffusionResult& result) {
    assemble(model.tokenizer(), segments, places, config.stop, filled, result);
    leave_out(prompt_place, result);
    result.num_prompt_tokens =
        canvas.length() - std::accumulate(lengths.begin(), lengths.end(), int32_t{0});
  });
}

}  // namespace aios
