/// `FastTokenizer`: text to token ids and back, as Hugging Face's `tokenizer.json` describes it.
///
/// The pipeline is normalizer, pre-tokenizer, model, post-processor, decoder; a stage or option
/// that is not supported is a `FormatError` that names it. Text is UTF-8; invalid bytes are refused
/// with their offset (`TokenizerError`). A loaded tokenizer is immutable: every const member may be
/// called from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aios {

/// Which text gives way where a pair is too long.
enum class TruncationStrategy {
  kLongestFirst,
  kOnlyFirst,
  kOnlySecond,
};

struct TokenizeOptions {
  bool add_special_tokens = true;
  int32_t max_length = 0;      ///< 0: no truncation (whatever the file says)
  bool truncate_left = false;  ///< which end is lost
  TruncationStrategy truncation = TruncationStrategy::kLongestFirst;
  bool return_overflow = false;  ///< fill `Encoding::overflow`
  int32_t stride = 0;            ///< tokens that neighbouring windows share
  int32_t pad_to_length = 0;     ///< batch: 0 no padding, -1 to the longest, else this length
  int32_t pad_to_multiple = 0;   ///< with padding: the length is rounded up; 0: as it is
  bool pad_left = false;
  bool offsets_in_characters = false;  ///< else in bytes
};

struct Encoding {
  std::vector<int32_t> ids;
  std::vector<std::pair<int64_t, int64_t>> offsets;  ///< range in the text; {0, 0} for added ones
  std::vector<int32_t> type_ids;
  std::vector<int32_t> word_ids;  ///< which word of its text a token belongs to; -1: none
  std::vector<uint8_t> special_tokens_mask;
  std::vector<uint8_t> attention_mask;  ///< 0 on padding
  bool truncated = false;
  std::vector<Encoding> overflow;  ///< what truncation cut off, in windows as long as this one
};

struct SpecialTokens {
  std::optional<int32_t> begin, end, pad, mask, unknown, separator, classify;
};

class FastTokenizer {
 public:
  /// Reads `tokenizer.json` (a file, or a directory that holds it, with tokenizer_config.json and
  /// special_tokens_map.json beside it when present), or one of the other formats of
  /// docs/tokenizer.md: a directory that holds it, or a file `*.model` or `*.tiktoken`. @throws
  /// IoError, FormatError
  static FastTokenizer from_file(const std::string& path);
  /// Whether `directory` has files that `from_file` reads.
  [[nodiscard]] static bool found_in(const std::string& directory);
  /// From the text of a `tokenizer.json`. @throws FormatError
  static FastTokenizer from_json(std::string_view json);

  FastTokenizer(FastTokenizer&&) noexcept;
  FastTokenizer& operator=(FastTokenizer&&) noexcept;
  ~FastTokenizer();

  /// @throws TokenizerError on invalid UTF-8 (with the byte's offset)
  [[nodiscard]] Encoding encode(std::string_view text, const TokenizeOptions& options = {}) const;
  [[nodiscard]] Encoding encode_pair(std::string_view first, std::string_view second,
                                     const TokenizeOptions& options = {}) const;
  /// @param num_threads that share the texts; 0: one per physical core
  [[nodiscard]] std::vector<Encoding> encode_batch(std::span<const std::string> texts,
                                                   const TokenizeOptions& options = {},
                                                   int num_threads = 1) const;
  /// @throws TokenizerError on an id outside the vocabulary
  [[nodiscard]] std::string decode(std::span<const int32_t> ids, bool skip_special = true) const;

  [[nodiscard]] int32_t vocab_size() const;  ///< largest id + 1, added tokens included
  [[nodiscard]] std::optional<int32_t> token_to_id(std::string_view token) const;
  [[nodiscard]] std::optional<std::string> id_to_token(int32_t id) const;
  [[nodiscard]] bool is_special(int32_t id) const;
  [[nodiscard]] const SpecialTokens& special_tokens() const;
  /// What "truncation" and "padding" of the file ask for; `encode` does so only if told to.
  [[nodiscard]] const TokenizeOptions& stored_options() const;

  struct Implementation;

 private:
  friend class StreamingDecoder;
  explicit FastTokenizer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Decodes ids one by one; each piece is final and holds whole UTF-8 characters only. Not
/// thread-safe; must not outlive its tokenizer.
class StreamingDecoder {
 public:
  explicit StreamingDecoder(const FastTokenizer& tokenizer, bool skip_special = true);
  StreamingDecoder(StreamingDecoder&&) noexcept;
  StreamingDecoder& operator=(StreamingDecoder&&) noexcept;
  ~StreamingDecoder();
  /// The text that `id` completed; may be empty.
  std::string push(int32_t id);
  /// What was held back at the end (an unfinished character is U+FFFD, as in `decode`).
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

enum class TokenizerKind {
  kBpe,        ///< of bytes, with GPT-2's words
  kWordPiece,  ///< with BERT's words
};

struct TokenizerTrainingConfig {
  TokenizerKind kind = TokenizerKind::kBpe;
  int32_t vocab_size = 30000;    ///< special tokens and alphabet included, which are kept anyhow
  int64_t min_frequency = 0;     ///< of a pair that merges
  int32_t limit_alphabet = 0;    ///< WordPiece: characters kept, the most frequent ones; 0: all
  int32_t max_token_length = 0;  ///< merges stay below this many characters or bytes; 0: any
  bool lowercase = true;         ///< WordPiece: capitals and accents do not count
  /// Behind <|endoftext|>, or [PAD] [UNK] [CLS] [SEP] [MASK], which have the first ids.
  std::vector<std::string> special_tokens;
};

/// The text of a tokenizer.json whose vocabulary and merges are those that Hugging Face's
/// BpeTrainer or WordPieceTrainer learns from the same files (of at most 1 GiB each).
/// @throws ConfigError, IoError, TokenizerError naming the first byte that is not UTF-8
[[nodiscard]] std::string train_tokenizer(std::span<const std::string> paths,
                                          const TokenizerTrainingConfig& config);

struct ChatMessage {
  std::string role;  ///< "system", "user", "assistant", …
  std::string content;
};

/// How a model wants a conversation written: the Jinja template of its folder. docs/tokenizer.md
/// says what of Jinja it may use. Immutable; const members may be called from several threads.
class ChatTemplate {
 public:
  /// Whether a folder names one. @throws IoError, FormatError
  [[nodiscard]] static bool exists(const std::string& folder);
  /// chat_template.jinja, else "chat_template" of tokenizer_config.json.
  /// @throws IoError, FormatError if there is none or it cannot be parsed, naming the line
  static ChatTemplate from_folder(const std::string& folder);
  /// @throws FormatError
  static ChatTemplate from_text(std::string_view source);
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  /// The prompt; special tokens are written out, so it is tokenized without adding any.
  /// @throws ConfigError if the template refuses the conversation, FormatError if it does what is
  ///         not supported, does not fit it or runs too long, TokenizerError on bad UTF-8
  [[nodiscard]] std::string render(std::span<const ChatMessage> messages,
                                   bool add_generation_prompt = true) const;
  /// The same with all variables given as a JSON object: "messages", "tools" …
  [[nodiscard]] std::string render_json(const std::string& variables) const;

 private:
  struct Implementation;
  explicit ChatTemplate(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
