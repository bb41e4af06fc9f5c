#include <charconv>
#include <string>
#include <utility>

#include "aios/engine.h"
#include "aios/error.h"

namespace aios {
namespace {

constexpr std::string_view kOpen = "[[";
constexpr std::string_view kEscape = "[[[[";

/// Reads the syntax of `parse_holes` left to right.
class HoleParser {
 public:
  explicit HoleParser(std::string_view text) : text_(text) {}

  std::vector<InfillSegment> parse() {
    while (at_ < text_.size()) {
      if (looking_at(kEscape)) {
        given_ += kOpen;
        at_ += kEscape.size();
      } else if (looking_at(kOpen) && !looking_at("[[[")) {
        parse_hole();
      } else {
        given_ += text_[at_++];  // of [[[8]] the first bracket is text, the rest a hole
      }
    }
    end_given();
    return std::move(segments_);
  }

 private:
  [[nodiscard]] bool looking_at(std::string_view token) const {
    return text_.substr(at_).starts_with(token);
  }

  bool skip(std::string_view token) {
    if (!looking_at(token)) return false;
    at_ += token.size();
    return true;
  }

  void parse_hole() {
    const std::size_t start = at_;
    at_ += kOpen.size();
    const int32_t min_tokens = parse_count(start);
    const int32_t max_tokens = skip("-") ? parse_count(start) : min_tokens;
    if (!skip("]]")) refuse(start, "opens no hole [[8]] or [[3-12]]; write [[[[ for a literal [[");
    if (min_tokens < 1) refuse(start, "opens a hole of 0 tokens; a hole has at least 1");
    if (max_tokens < min_tokens) refuse(start, "opens a hole that ends before it begins");
    end_given();
    segments_.push_back(InfillSegment::hole(min_tokens, max_tokens));
  }

  int32_t parse_count(std::size_t start) {
    int32_t count = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, count);
    if (error == std::errc::result_out_of_range) refuse(start, "opens a hole that is too long");
    if (error != std::errc{} || count < 0) {
      refuse(start, "opens no hole [[8]] or [[3-12]]; write [[[[ for a literal [[");
    }
    at_ = static_cast<std::size_t>(stop - text_.data());
    return count;
  }

  [[noreturn]] static void refuse(std::size_t start, const std::string& why) {
    throw ConfigError("holes: the [[ at byte " + std::to_string(start) + " " + why);
  }

  void end_given() {
    if (!given_.empty()) segments_.push_back(InfillSegment::given(std::exchange(given_, {})));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string given_;
  std::vector<InfillSegment> segments_;
};

}  // namespace

std::vector<InfillSegment> parse_holes(std::string_view text) { return HoleParser(text).parse(); }

}  // namespace aios
