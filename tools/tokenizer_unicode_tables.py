#!/usr/bin/env python3
"""Writes src/tokenizer/unicode_data.inc: what the oracle's stages think of each character.

Hugging Face's tokenizers rest on several versions of Unicode: categories of BERT on version 8,
normalization forms on 9, lower case on that of Rust's library, regular expressions on Oniguruma's
and on those of Rust's regex crate. utf8proc and PCRE2 have one version each. This recipe asks the
oracle about every character and writes the sets it answers with, or only the differences where
utf8proc or PCRE2 are used for the rest.

    python tools/tokenizer_unicode_tables.py      (needs tokenizers, libutf8proc.so, libpcre2-8.so)
"""

import ctypes
import ctypes.util
import pathlib

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

OUTPUT = pathlib.Path(__file__).parent.parent / "src" / "tokenizer" / "unicode_data.inc"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp "
              "Cc Cf Co").split()
# utf8proc_category_t, in its order.
UTF8PROC_CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs "
                       "Zl Zp Cc Cf Cs Co").split()


def runs(code_points):
    """Sorted [first, last] of a set of code points."""
    found = []
    for c in sorted(code_points):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def where(normalizer, accept):
    return {c for c in CODE_POINTS if accept(chr(c), normalizer.normalize_str(chr(c)))}


def bert_sets():
    def bert(**options):
        off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False,
                   lowercase=False)
        return normalizers.BertNormalizer(**{**off, **options})

    removed = where(bert(clean_text=True), lambda c, out: out == "")
    marks = where(bert(strip_accents=True), lambda c, out: out == "")
    splitter = pre_tokenizers.BertPreTokenizer()
    punctuation = {c for c in CODE_POINTS
                   if len(splitter.pre_tokenize_str("a" + chr(c) + "a")) == 3}
    return removed, marks, punctuation


def canonical_sets():
    """Characters with a canonical decomposition, and with a combining class other than 0.

    A mark moves before U+0345 (class 240) if its class is 1..239, and after U+0334 (class 1) if its
    class is above 1.
    """
    nfd = normalizers.NFD()
    decomposes = where(nfd, lambda c, out: out != c)

    def moves(before, after):
        return {c for c in CODE_POINTS if c not in decomposes and
                nfd.normalize_str(before + chr(c) + after) != before + chr(c) + after}

    return decomposes, moves("\u0345", "") | moves("", "\u0334")


def added_token_sets():
    """White space and word characters as Rust's regex crate has them, from added tokens' flags."""
    def first_token(flag, text):
        tokenizer = Tokenizer(models.WordLevel({"[U]": 0}, unk_token="[U]"))
        tokenizer.add_tokens([AddedToken("Q7Q", normalized=False, **{flag: True})])
        return (tokenizer.encode(text(chr(c))) for c in CODE_POINTS)

    words = {c for c, e in zip(CODE_POINTS, first_token("single_word", lambda c: "Q7Q" + c))
             if 1 not in e.ids} | {ord("Q"), ord("7")}
    spaces = {c for c, e in zip(CODE_POINTS, first_token("rstrip", lambda c: "Q7Q" + c + "a"))
              if e.offsets[0][1] == 4}
    return words, spaces


def load(name):
    return ctypes.CDLL(ctypes.util.find_library(name))


def utf8proc_answers():
    library = load("utf8proc")
    category = {c: UTF8PROC_CATEGORIES[library.utf8proc_category(c)] for c in CODE_POINTS}
    lower = {c: library.utf8proc_tolower(c) for c in CODE_POINTS}
    library.utf8proc_version.restype = ctypes.c_char_p
    return category, lower, library.utf8proc_version().decode()


def oniguruma_category(category, text):
    splitter = pre_tokenizers.Split(Regex(r"\p{%s}+" % category), "removed", invert=True)
    return {CODE_POINTS[i] for _, (begin, end) in splitter.pre_tokenize_str(text)
            for i in range(begin, end)}


class Pcre2:
    def __init__(self):
        self.library = load("pcre2-8")
        self.library.pcre2_compile_8.restype = ctypes.c_void_p
        self.library.pcre2_match_data_create_8.restype = ctypes.c_void_p
        self.library.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
        self.data = ctypes.c_void_p(self.library.pcre2_match_data_create_8(1, None))

    def version(self):
        buffer = ctypes.create_string_buffer(64)
        self.library.pcre2_config_8(11, buffer)
        return buffer.value.decode()

    def category(self, category, text):
        pattern = (r"\p{%s}++" % category).encode()
        utf_and_ucp = 0x000A0000
        error, where_ = ctypes.c_int(), ctypes.c_size_t()
        code = ctypes.c_void_p(self.library.pcre2_compile_8(
            pattern, ctypes.c_size_t(len(pattern)), utf_and_ucp, ctypes.byref(error),
            ctypes.byref(where_), None))
        span = self.library.pcre2_get_ovector_pointer_8(self.data)
        data, position, found = text.encode(), 0, set()
        while self.library.pcre2_match_8(code, data, ctypes.c_size_t(len(data)),
                                         ctypes.c_size_t(position), 0x40000000, self.data,
                                         None) >= 0:
            found.update(map(ord, data[span[0]:span[1]].decode()))
            position = span[1]
        self.library.pcre2_code_free_8(code)
        return found


def later_categories(pcre2):
    """[first, last, category] where Oniguruma has a category that PCRE2 has not yet."""
    text = "".join(map(chr, CODE_POINTS))
    rows = []
    for category in CATEGORIES:
        ours, theirs = pcre2.category(category, text), oniguruma_category(category, text)
        rows += [(first, last, category) for first, last in runs(theirs - ours)]
        # One mark became spacing after Unicode 14; patterns name all marks at once, \p{M}.
        assert ours - theirs <= {0x1171E}, (category, sorted(ours - theirs))
    return sorted(rows)


def lowercase_differences(lower):
    """[first, last, distance], but U+0130, whose lower case is two characters."""
    oracle = normalizers.Lowercase()
    distance = {}
    for c in CODE_POINTS:
        theirs = oracle.normalize_str(chr(c))
        if c == 0x130:
            assert theirs == "i\u0307"
        elif theirs != chr(lower[c]):
            distance[c] = ord(theirs) - c
    rows = []
    for c in sorted(distance):
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == distance[c]:
            rows[-1][1] = c
        else:
            rows.append([c, c, distance[c]])
    return rows


def table(name, comment, cells, kind="CodePointRange"):
    lines, line = [], " "
    for cell in cells:
        if len(line) + len(cell) + 2 > 100:
            lines.append(line)
            line = " "
        line += " " + cell + ","
    lines.append(line)
    return "\n".join([f"// {comment}", f"constexpr {kind} {name}[] = {{", *lines, "};", ""])


def range_table(name, comment, code_points):
    return table(name, comment, [f"{{0x{a:X}, 0x{b:X}}}" for a, b in runs(code_points)])


def main():
    removed, marks, punctuation = bert_sets()
    decomposes, combining = canonical_sets()
    words, spaces = added_token_sets()
    category, lower, utf8proc_version = utf8proc_answers()
    pcre2 = Pcre2()
    base = {c for c in CODE_POINTS if category[c][0] in "LM" or category[c] in ("Nd", "Nl", "Pc")}
    assert base <= words
    parts = [
        "// Generated by tools/tokenizer_unicode_tables.py from tokenizers "
        f"{tokenizers.__version__}, utf8proc {utf8proc_version}, PCRE2 {pcre2.version()}.\n"
        "// Do not edit.\n",
        range_table("kWhiteSpace", "White_Space, as Rust and Oniguruma have it.", spaces),
        range_table("kBertRemoved", "What BertNormalizer's clean_text removes.", removed),
        range_table("kBertPunctuation", "What BertPreTokenizer isolates.", punctuation),
        range_table("kNonspacingMarks", "What strip_accents removes after NFD.", marks),
        range_table("kDecomposes", "Characters with a canonical decomposition (Unicode 9).",
                    decomposes),
        range_table("kCombining", "Characters with a combining class other than 0 (Unicode 9).",
                    combining),
        range_table("kMoreWordCharacters",
                    "\\w of Rust's regex crate beyond utf8proc's L*, M*, Nd, Nl and Pc.",
                    words - base),
        table("kLowercaseDifferences", "Lower case where utf8proc differs from Rust's library.",
              [f"{{0x{a:X}, 0x{b:X}, {d}}}" for a, b, d in lowercase_differences(lower)],
              "CodePointShift"),
        table("kLaterCategories", "Categories that Oniguruma has and PCRE2 10.42 has not.",
              [f'{{0x{a:X}, 0x{b:X}, "{c}"}}' for a, b, c in later_categories(pcre2)],
              "CategoryRange"),
    ]
    OUTPUT.write_text("\n".join(parts))
    print(f"wrote {OUTPUT}: {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
