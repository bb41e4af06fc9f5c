#include "diffusion/infill_lengths.h"

#include <algorithm>
#include <string>

#include "aios/error.h"
#include "diffusion/masked_nats.h"

namespace aios {
namespace {

void check_holes(std::span<const CanvasSegment> segments, int32_t max_length) {
  int64_t shortest = 0;
  for (const CanvasSegment& segment : segments) {
    if (segment.is_hole() && (segment.min_tokens < 1 || segment.min_tokens > segment.max_tokens)) {
      throw ConfigError("a hole of " + std::to_string(segment.min_tokens) + " to " +
                        std::to_string(segment.max_tokens) +
                        " tokens: the first number must be at least 1 and at most the second");
    }
    shortest +=
        segment.is_hole() ? segment.min_tokens : static_cast<int64_t>(segment.token_ids.size());
  }
  if (shortest > max_length) {
    throw InferenceError("the text and its holes need at least " + std::to_string(shortest) +
                         " tokens, but the model can hold " + std::to_string(max_length) +
                         ": shorten the text or the holes");
  }
}

/// At most `count` evenly spaced lengths from `low` to `high`, both ends among them.
std::vector<int32_t> spread(int32_t low, int32_t high, int32_t count) {
  const int32_t steps = std::min(high - low, std::max(1, count - 1));
  std::vector<int32_t> lengths = {low};
  for (int32_t step = 1; step <= steps; ++step) {
    lengths.push_back(low + static_cast<int32_t>(static_cast<int64_t>(high - low) * step / steps));
  }
  return lengths;
}

/// Positions of the first given tokens right of a hole, up to the next one. A given mask tells
/// nothing.
std::vector<int32_t> anchors(const Canvas& canvas, int32_t hole_end, int32_t num_anchors,
                             int32_t mask_token_id) {
  std::vector<int32_t> positions;
  for (int32_t position = hole_end; position < canvas.length(); ++position) {
    const auto index = static_cast<std::size_t>(position);
    if (canvas.masked[index] != 0) break;
    if (static_cast<int32_t>(positions.size()) == num_anchors) break;
    if (canvas.token_ids[index] != mask_token_id) positions.push_back(position);
  }
  return positions;
}

/// One ranged hole among segments whose other lengths are settled for the moment.
struct RangedHole {
  std::size_t segment = 0;
  std::size_t index = 0;  // among the holes
  int32_t begin = 0;      // on the canvas
  int32_t longest = 0;    // that fits
};

int32_t choose_length(Denoiser& denoiser, int32_t mask_token_id,
                      std::span<const CanvasSegment> segments, std::vector<int32_t> hole_lengths,
                      const RangedHole& hole, const LengthChoice& choice) {
  const std::vector<int32_t> lengths =
      spread(segments[hole.segment].min_tokens, hole.longest, choice.max_candidates);
  std::vector<std::vector<int32_t>> canvases;
  std::vector<Masking> maskings;
  for (const int32_t length : lengths) {
    hole_lengths[hole.index] = length;
    Canvas canvas = make_canvas(segments, hole_lengths);
    const auto index = static_cast<int32_t>(maskings.size());
    maskings.push_back(
        {index, anchors(canvas, hole.begin + length, choice.num_anchors, mask_token_id), 1});
    if (maskings.back().positions.empty()) return hole.longest;
    for (std::size_t position = 0; position < canvas.masked.size(); ++position) {
      if (canvas.masked[position] != 0) canvas.token_ids[position] = mask_token_id;
    }
    canvases.push_back(std::move(canvas.token_ids));
  }
  std::vector<ScoredWindow> windows;
  for (const auto& token_ids : canvases) windows.push_back({token_ids, 0});
  const std::vector<double> nats =
      masked_nats(denoiser, mask_token_id, std::span(&mask_token_id, 1), windows, maskings);
  const auto best = std::min_element(nats.begin(), nats.end()) - nats.begin();
  return lengths[static_cast<std::size_t>(best)];
}

}  // namespace

Canvas make_canvas(std::span<const CanvasSegment> segments, std::span<const int32_t> hole_lengths) {
  Canvas canvas;
  std::size_t hole = 0;
  for (const CanvasSegment& segment : segments) {
    if (segment.is_hole()) {
      canvas.append_hole(hole_lengths[hole++], segment.text_may_end);
    } else {
      canvas.append_given(segment.token_ids);
    }
  }
  return canvas;
}

std::vector<int32_t> choose_hole_lengths(Denoiser& denoiser, int32_t mask_token_id,
                                         std::span<const CanvasSegment> segments,
                                         int32_t max_length, const LengthChoice& choice) {
  check_holes(segments, max_length);
  std::vector<int32_t> hole_lengths;
  int32_t total = 0;
  for (const CanvasSegment& segment : segments) {
    if (segment.is_hole()) hole_lengths.push_back(segment.min_tokens);
    total +=
        segment.is_hole() ? segment.min_tokens : static_cast<int32_t>(segment.token_ids.size());
  }
  RangedHole hole;
  for (hole.segment = 0; hole.segment < segments.size(); ++hole.segment) {
    const CanvasSegment& segment = segments[hole.segment];
    if (!segment.is_hole()) {
      hole.begin += static_cast<int32_t>(segment.token_ids.size());
      continue;
    }
    const int32_t spare = max_length - total;
    hole.longest = segment.min_tokens + std::min(segment.max_tokens - segment.min_tokens, spare);
    if (hole.longest > segment.min_tokens) {
      const int32_t length =
          choose_length(denoiser, mask_token_id, segments, hole_lengths, hole, choice);
      total += length - segment.min_tokens;
      hole_lengths[hole.index] = length;
    }
    hole.begin += hole_lengths[hole.index];
    ++hole.index;
  }
  return hole_lengths;
}

}  // namespace aios
