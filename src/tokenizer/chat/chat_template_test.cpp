// The template language by small pieces; whole conversations are compared with transformers in
// tests/oracle/test_chat_templates.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"

namespace aios {
namespace {

using ::testing::HasSubstr;

std::string render(const std::string& source, const std::string& variables = "{}") {
  return ChatTemplate::from_text(source).render_json(variables);
}

TEST(ChatTemplate, WhiteSpaceAroundTags) {
  // trim_blocks: the line feed behind a block goes; lstrip_blocks: the blanks before it.
  EXPECT_EQ(render("a\n  {% if true %}\n b\n\t{% endif %}\nc\n"), "a\n b\nc");
  EXPECT_EQ(render("a \n {{- 'b' -}} \n c"), "abc");
  EXPECT_EQ(render("a {% if true -%}  \n b {%- endif %} c"), "a b c");
  EXPECT_EQ(render("a {{ 'b' }}\nc"), "a b\nc");
  EXPECT_EQ(render("  {%+ if true %}b{% endif +%}\nc"), "  b\nc");
  EXPECT_EQ(render("a\n  {# no #}\nb {#- no -#} c"), "a\nbc");
  EXPECT_EQ(render("a\r\nb\n\n"), "a\nb\n");
}

TEST(ChatTemplate, Expressions) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"1 + 2 * 3 - 4", "3"},
      {"7 // 2 ~ -7 // 2 ~ 7 % 3 ~ -7 % 3", "3-412"},
      {"7 / 2", "3.5"},
      {"4 / 2", "2.0"},
      {"not 1 == 2 and 'a' in 'cat'", "True"},
      {"'a' if false", ""},
      {"none", "None"},
      {"[1, 'a', true, none, 1.5, {'k': 'v'}]", "[1, 'a', True, None, 1.5, {'k': 'v'}]"},
      {"'abc'[::-1] ~ 'abc'[1:] ~ 'abc'[-1] ~ [1, 2, 3][:-1]", "cbabcc[1, 2]"},
      {"'a' 'b' ~ \"c\\n\\u00e9\"", "abc\n\u00e9"},
      {"absent", ""},
      {"absent is defined or 3 is number and 3 is odd", "True"},
      {"2 is not divisibleby 3", "True"},
      {"'x' is string and {} is mapping and [] is sequence", "True"},
      {"1 < 2 and 'a' <= 'a' and 2 >= 1.5", "True"},
      {"0 or 'x' and 'y'", "y"},
      {"range(5, 0, -2) | list", "[5, 3, 1]"},
  };
  for (const auto& [expression, text] : rows) {
    EXPECT_EQ(render("{{ " + expression + " }}"), text) << expression;
  }
}

TEST(ChatTemplate, FiltersAndMethods) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"' a\u00a0' | trim ~ 'x'", "ax"},
      {"'\u00e9a' | upper ~ 'AB' | lower ~ 'hELLO' | capitalize", "\u00c9AabHello"},
      {"[1, {'a': 'b\"\u00e9'}] | tojson", "[1, {\"a\": \"b\\\"\u00e9\"}]"},
      {"{'a': [1, 2], 'b': {}} | tojson(indent=2)",
       "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"},
      {"'h\u00e9' | length ~ [1, 2] | count", "22"},
      {"absent | default('d') ~ '' | default('e', true) ~ 'f' | d('g')", "def"},
      {"[1, 'b'] | join(', ')", "1, b"},
      {"[1, 2, 3] | first ~ [1, 2, 3] | last", "13"},
      {"[{'r': 1}, {'r': 2}] | map(attribute='r') | join('-')", "1-2"},
      {"[{'r': 1}, {'r': 2}] | selectattr('r', 'equalto', 2) | list | length", "1"},
      {"[0, 1, 2] | reject('equalto', 1) | list", "[0, 2]"},
      {"'12' | int + 1", "13"},
      {"{'a': 1} | items | list", "[['a', 1]]"},
      {"' a b '.strip() ~ 'xxa'.lstrip('x') ~ 'axx'.rstrip('x')", "a baa"},
      {"'a,b,c'.split(',')[-1] ~ ' a  b '.split() | length ~ 'a b c'.split(' ', 1)[1]", "c2b c"},
      {"'abc'.startswith('ab') ~ 'abc'.endswith(('x', 'bc'))", "TrueTrue"},
      {"'aXbX'.replace('X', '-') ~ 'ab' | replace('a', 'c')", "a-b-cb"},
      {"{'a': 1}.get('b', 2) ~ {'a': 1}.get('a')", "21"},
  };
  for (const auto& [expression, text] : rows) {
    EXPECT_EQ(render("{{ " + expression + " }}"), text) << expression;
  }
}

TEST(ChatTemplate, LoopsAndScopes) {
  EXPECT_EQ(render("{% for x in 'abc' %}{{ loop.index }}{{ x }}{{ loop.last }} {% endfor %}"),
            "1aFalse 2bFalse 3cTrue ");
  EXPECT_EQ(render("{% for x in [] %}a{% else %}b{% endfor %}"), "b");
  EXPECT_EQ(render("{% for x in [1, 2, 3, 4] if x is even %}{{ loop.length }}{% endfor %}"), "22");
  EXPECT_EQ(render("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}"), "a1");
  EXPECT_EQ(render("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}"), "1");
  EXPECT_EQ(render("{% set n = namespace(x=1) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}"
                   "{% endfor %}{{ n.x }}"),
            "4");
  EXPECT_EQ(render("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}"
                   "{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
            "023");
  EXPECT_EQ(render("{% set x %}a{{ 1 }}{% endset %}{{ x ~ x }}"), "a1a1");
  EXPECT_EQ(render("{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}"),
            "1False");
  EXPECT_EQ(render("{% set a, b = 1, 2 %}{{ a + b }}"), "3");
  EXPECT_EQ(render("{% if 0 %}a{% elif 1 %}b{% else %}c{% endif %}"), "b");
  EXPECT_EQ(render("{% generation %}x{% endgeneration %}"), "x");
}

TEST(ChatTemplate, Messages) {
  const auto chat = ChatTemplate::from_text(
      "{% for m in messages %}<{{ m.role }}>{{ m['content'] }}{% endfor %}"
      "{% if add_generation_prompt %}<assistant>{% endif %}");
  const std::vector<ChatMessage> messages = {{"system", "Be {{ kind }}."}, {"user", "Hi"}};
  EXPECT_EQ(chat.render(messages), "<system>Be {{ kind }}.<user>Hi<assistant>");
  EXPECT_EQ(chat.render(messages, false), "<system>Be {{ kind }}.<user>Hi");
}

class ChatFolder : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  [[nodiscard]] std::string render() const {
    return ChatTemplate::from_folder(folder_.string()).render_json("{}");
  }

  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("chat_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(ChatFolder, FileGoesBeforeTheConfig) {
  write("tokenizer_config.json",
        R"({"chat_template": "config {{ bos_token }}", "bos_token": {"content": "<s>"}})");
  EXPECT_EQ(render(), "config <s>");
  write("chat_template.jinja", "file {{ bos_token }}");
  EXPECT_EQ(render(), "file <s>");
  EXPECT_TRUE(ChatTemplate::exists(folder_.string()));
}

TEST_F(ChatFolder, OfNamedTemplatesTheDefaultIsTaken) {
  write("tokenizer_config.json", R"({"chat_template": [{"name": "tool_use", "template": "a"},
      {"name": "default", "template": "b"}]})");
  EXPECT_EQ(render(), "b");
}

TEST_F(ChatFolder, WithoutATemplateIsRefused) {
  EXPECT_FALSE(ChatTemplate::exists(folder_.string()));
  EXPECT_THROW((void)render(), FormatError);
  write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "a"}]})");
  EXPECT_THROW((void)render(), FormatError);
}

std::string refusal(const std::string& source, const std::string& variables = "{}") {
  try {
    (void)render(source, variables);
  } catch (const FormatError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << source.substr(0, 100);
  return {};
}

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(BadChatTemplate, RaisesAnException) {
  EXPECT_THROW((void)render("{{ raise_exception('No!') }}"), ConfigError);
}
TEST(BadChatTemplate, DoesNotEnd) {
  EXPECT_THAT(refusal("a\n{{ b"), HasSubstr("chat template line 2: a tag does not end"));
  EXPECT_THAT(refusal("{# b"), HasSubstr("a comment does not end"));
  EXPECT_THAT(refusal("{{ 'b }}"), HasSubstr("a string does not end"));
  EXPECT_THAT(refusal("{% if 1 %}b"), HasSubstr("a block does not end: 'endif' is missing"));
}
TEST(BadChatTemplate, IsNoExpression) {
  EXPECT_THAT(refusal("{{ 1 + }}"), HasSubstr("expected an expression"));
  EXPECT_THAT(refusal("{{ (1 2) }}"), HasSubstr("expected ')'"));
  EXPECT_THAT(refusal("{{ a? }}"), HasSubstr("unexpected character '?'"));
  EXPECT_THAT(refusal("{{ 99999999999999999999 }}"), HasSubstr("is too large"));
  EXPECT_THAT(refusal("{{ 9223372036854775807 + 1 }}"), HasSubstr("a number is too large"));
  EXPECT_THAT(refusal("{{ 9007199254740993 - 1 }}"), HasSubstr("a number is too large"));
}
TEST(BadChatTemplate, UsesWhatIsNotSupported) {
  EXPECT_THAT(refusal("{% macro f() %}{% endmacro %}"),
              HasSubstr("block 'macro' is not supported"));
  EXPECT_THAT(refusal("{{ [2, 1] | sort }}"), HasSubstr("filter 'sort' is not supported"));
  EXPECT_THAT(refusal("{{ 1 is callable }}"), HasSubstr("test 'callable' is not supported"));
  EXPECT_THAT(refusal("{{ 'a'.zfill(2) }}"), HasSubstr("method 'zfill' of a string"));
  EXPECT_THAT(refusal("{{ strftime_now('%d') }}"), HasSubstr("function 'strftime_now'"));
  EXPECT_THAT(refusal("{{ 'a' * 3 }}"), HasSubstr("'*' of a string and an integer"));
}
TEST(BadChatTemplate, DoesNotFitItsValues) {
  EXPECT_THAT(refusal("a\n{{ x.y.z }}"), HasSubstr("line 2: an undefined value has no member 'y'"));
  EXPECT_THAT(refusal("{{ 1 + 'a' }}"), HasSubstr("'+' of an integer and a string"));
  EXPECT_THAT(refusal("{{ 1 // 0 }}"), HasSubstr("division by 0"));
  EXPECT_THAT(refusal("{{ 3 | length }}"), HasSubstr("an integer has no length"));
  EXPECT_THAT(refusal("{{ 1 < 'a' }}"), HasSubstr("have no order"));
}
TEST(BadChatTemplate, IsNestedTooDeeply) {
  EXPECT_THAT(refusal("{{ " + repeated("(", 100'000) + "1" + repeated(")", 100'000) + " }}"),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal("{{ " + repeated("-", 100'000) + "1 }}"), HasSubstr("nested too deeply"));
  EXPECT_THAT(refusal(repeated("{% if 1 %}", 50'000)), HasSubstr("blocks are nested too deeply"));
  EXPECT_THAT(refusal("{{ 1" + repeated("+1", 100'000) + " }}"), HasSubstr("is too long"));
  EXPECT_THAT(refusal("", "{\"a\": " + repeated("[", 100) + repeated("]", 100) + "}"),
              HasSubstr("nested too deeply"));
}
TEST(BadChatTemplate, GrowsWithoutEnd) {
  EXPECT_THAT(refusal("{{ range(1000000000) }}"), HasSubstr("a range is too long"));
  EXPECT_THAT(refusal("{% set n = namespace(x='aaaaaaaa') %}{% for i in range(99) %}"
                      "{% set n.x = n.x + n.x %}{% endfor %}"),
              HasSubstr("a text is too long"));
  EXPECT_THAT(refusal("{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}"
                      "{% endfor %}"),
              HasSubstr("the template runs too long"));
}
TEST(BadChatTemplate, ValuesThatHoldThemselves) {
  const std::string begin = "{% set n = namespace(x=1) %}";
  for (const char* value : {"n", "[n]", "{'a': [1, n]}", "namespace(y=n)"}) {
    EXPECT_THAT(refusal(begin + "{% set n.x = " + value + " %}{{ n }}"),
                HasSubstr("nothing can hold a namespace"));
  }
  EXPECT_THAT(refusal(begin + "{{ [n, n] }}"), HasSubstr("nothing can hold a namespace"));
  EXPECT_THAT(refusal("{% set d = {'x': 1} %}{% set d.x = d %}"), HasSubstr("'d' is no namespace"));
  const std::string loop = begin + "{% for i in range(90000) %}{% set n.x = ";
  EXPECT_THAT(refusal(loop + "[n.x] %}{% endfor %}"), HasSubstr("values are nested too deeply"));
  EXPECT_THAT(refusal(loop + "[n.x, n.x] %}{% endfor %}{{ n.x }}"),
              HasSubstr("a value is too large"));
}
TEST(BadChatTemplate, IsNoText) {
  EXPECT_THAT(refusal("\xff"), HasSubstr("a chat template is not UTF-8 at byte 0"));
  EXPECT_THAT(refusal(std::string(2 << 20U, 'a')), HasSubstr("over 1 MiB"));
  const std::vector<ChatMessage> messages = {{"user", "\xff"}};
  EXPECT_THROW((void)ChatTemplate::from_text("a").render(messages), TokenizerError);
  EXPECT_THROW((void)render("a", "[]"), ConfigError);
}

}  // namespace
}  // namespace aios
