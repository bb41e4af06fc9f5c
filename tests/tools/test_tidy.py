"""tools/tidy.py and tools/cpp_functions.py: each rule is broken once, and reported."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from cpp_functions import functions  # noqa: E402
from tidy import apply_exceptions, check_file  # noqa: E402

CPP = """\
#include <vector>
#define SQUARE(x) \\
  { (x) * (x) }
namespace aios {
// a comment with a { brace
struct Point : Base<int> {
  int x = 0, y{1};
  Point(int a) : x{a}, y(a) {
    call("{");
  }
  int sum() const noexcept { return x + y; }
  friend bool operator==(const Point&,
                         const Point&) = default;
};
constexpr int kTable[] = {1, 2, 3};
constexpr char kBrace = '{';
const std::vector<int> kNumbers{1, 2};
template <typename T, class U>
  requires(sizeof(T) == 4)
auto convert(const std::vector<T>& values, U seed = {}) -> std::vector<U> {
  for (T value : values) {
    if (value) { break; }
  }
  return {};
}
enum class Kind { kOne, kTwo };
struct Kind* current(Kind kind) {
  return nullptr;
}
extern "C" {
int from_c(void) { return 1'000'000; }
}
TEST(Suite, Name) {
  const char* raw = R"(
}}})";
}
}  // namespace aios
"""


def test_functions_and_their_lengths():
    found = [(f.name, f.first_line, f.length) for f in functions(CPP)]
    assert found == [
        ("Point", 8, 3), ("sum", 11, 1), ("convert", 18, 8), ("current", 27, 3),
        ("from_c", 31, 1), ("TEST(Suite, Name)", 33, 4),
    ]


def rules(path: str, text: str) -> list[str]:
    return [violation[2] for violation in check_file(Path(path), text)]


@pytest.mark.parametrize("text", [CPP, "int f() {\n" + "g();\n" * 68 + "}\n"])
def test_lawful_code_has_no_violations(text):
    assert rules("src/base/a.cpp", text) == []


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [
        ("src/base/a.cpp", "int x;\n" * 601, "file-length"),
        ("src/base/a.cpp", "int f() {\n" + "g();\n" * 69 + "}\n", "function-length"),
        ("tools/a.py", "def f():\n" + "    g()\n" * 70, "function-length"),
        ("src/base/a.cpp", "//" + " long" * 20, "line-length"),
        ("docs/a.md", "a TO" + "DO list", "banned-word"),
        ("src/base/a.cpp", 'void f() { printf("x"); }', "banned-call"),
        ("src/base/a.cpp", "void f() { std::cout << 1; }", "banned-call"),
        ("include/aios/a.h", "inline void f() { std::abort(); }", "banned-call"),
        ("tools/a.sh", "cat /" + "root/notes", "machine-path"),
        ("src/base/a_test.cpp", "TEST(A, DISABLED" + "_B) {}", "muted-test"),
    ],
)
def test_each_rule_is_reported(path, text, rule):
    assert rules(path, text) == [rule]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/cli/a.cpp", "void f() { std::cout << 1; }"),  # a front prints
        ("src/base/a_test.cpp", "void f() { _exit(1); }"),  # so may a test
        ("src/base/a.cpp", '// exit(1)\nvoid f() { snprintf("abort()"); }'),
        ("docs/a.md", "w" * 200),
    ],
)
def test_what_is_allowed(path, text):
    assert rules(path, text) == []


def test_exceptions_need_a_reason_and_a_use():
    violation = ("src/base/a.cpp", 1, "file-length", "700 lines")
    exception = {"file": "src/base/a.cpp", "rule": "file-length", "reason": "a table"}
    assert apply_exceptions([violation], [exception]) == []
    assert [v[2] for v in apply_exceptions([], [exception])] == ["exception"]
    unexplained = exception | {"reason": ""}
    assert len(apply_exceptions([violation], [unexplained])) == 2
