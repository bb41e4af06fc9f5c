"""Finds the functions of a C++ file and their lengths, by matching braces. No parser needed.

Good for code that clang-format has laid out: declarations at namespace and class scope decide what
a brace opens. Lambdas count as part of the function around them; tests are functions.
"""
import re
from dataclasses import dataclass

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
SCOPE = re.compile(r'\b(namespace|class|struct|union|enum)\b|extern\s+""')
FUNCTION = re.compile(
    r"[)\]]\s*(?:(?:const|noexcept|override|final|mutable|try|&|&&)\s*)*"  # lambda or parameters
    r"(?:->[^;]*)?$"
)
INITIALIZER_LIST = re.compile(r"\)\s*(?:noexcept\s*)?:[^:].*[}\)]\s*$", re.DOTALL)


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def length(self) -> int:
        return self.last_line - self.first_line + 1


def blank(match: re.Match) -> str:
    """Spaces for a match, with its line ends kept; a string keeps its quotes."""
    text = match.group(0)
    quote = '"' if text[0] in '"R' else ""
    return quote + "\n" * text.count("\n") + quote


def code_only(source: str) -> str:
    """The source without comments and the insides of literals, on the same lines."""
    return COMMENT_OR_LITERAL.sub(blank, source)


def opens_function(header: str) -> bool:
    header = header.strip()
    if INITIALIZER_LIST.search(header):
        return True
    return bool(FUNCTION.search(header)) and not header.endswith("operator()")


def opens_scope(header: str) -> bool:
    """Whether it is a namespace or a type: such a word outside of template parameters."""
    header = re.sub(r"\btemplate\s*<.*?>\s*(?=[a-zA-Z\[])", "", header, flags=re.DOTALL)
    return bool(SCOPE.search(header)) and not FUNCTION.search(header.strip())


def functions(source: str) -> list[Function]:
    """All functions with a body, in order."""
    code = DIRECTIVE.sub(blank, code_only(source))
    found: list[Function] = []
    header = ""  # text of the declaration that is being read
    header_line = 1
    inner_depth = 0  # braces open inside of a function or an initializer
    current: Function | None = None
    for line_number, line in enumerate(code.split("\n"), start=1):
        for character in line + "\n":
            if inner_depth > 0:
                inner_depth += (character == "{") - (character == "}")
                if inner_depth == 0:
                    if current is not None:
                        current.last_line = line_number
                        found.append(current)
                        header = ""
                    else:
                        header += "}"
                    current = None
            elif character == "{":
                if opens_scope(header):
                    header = ""
                    continue
                inner_depth = 1
                if opens_function(header):
                    current = Function(function_name(header), header_line, line_number)
            elif character in ";}":
                header = ""
            else:
                if not header.strip():
                    header_line = line_number
                header += character
    return found


def function_name(header: str) -> str:
    header = re.sub(r"\brequires\s*\(.*?\)\s*(?=\w)", "", header, flags=re.DOTALL)
    match = re.search(r"([\w:~]+|operator\S+)\s*\(", header)
    name = match.group(1) if match else "lambda"
    if name.startswith("TEST"):
        name = re.sub(r"\s+", " ", header).strip()
    return name
