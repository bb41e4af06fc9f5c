#!/usr/bin/env python3
"""Writes src/tokenizer/stage_data.inc: tables of stages that rest on Unicode versions of their own.

Asks the oracle, Hugging Face's tokenizers, about every character: numbers (Digits), combining marks
(StripAccents), compatibility decompositions (NFKD), scripts (UnicodeScripts), `\\w` and scripts of
regular expressions (Oniguruma), and which characters extend a grapheme (Precompiled).

    python tools/make_tokenizer_tables.py      (needs tokenizers, libutf8proc.so, libpcre2-8.so)
"""

import base64
import json
import pathlib
import struct

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizer_unicode_tables import (CODE_POINTS, added_token_sets, range_table, runs, table,
                                      where)

OUTPUT = pathlib.Path(__file__).parent.parent / "src" / "tokenizer" / "stage_data.inc"
EVERYTHING = "".join(map(chr, CODE_POINTS))
# Scripts that patterns of published tokenizers name.
SCRIPTS = ("Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati "
           "Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam "
           "Mongolian Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan").split()


def numeric_set():
    """char::is_numeric, which Digits isolates."""
    splitter = pre_tokenizers.Digits(individual_digits=True)
    return {c for c in CODE_POINTS if len(splitter.pre_tokenize_str("a" + chr(c) + "a")) == 3}


def matches(pattern):
    splitter = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return {CODE_POINTS[i] for _, (begin, end) in splitter.pre_tokenize_str(EVERYTHING)
            for i in range(begin, end)}


def split_scripts():
    """[first, last, class] of UnicodeScripts; class 0 is "any", which joins what is before it."""
    splitter = pre_tokenizers.UnicodeScripts()

    def splits(text):
        return len(splitter.pre_tokenize_str(text)) > 1

    anything = {c for c in CODE_POINTS
                if not splits("a" + chr(c)) and not splits("\u03b1" + chr(c))}
    representatives, rows = [], []
    for c in CODE_POINTS:
        if c in anything:
            continue
        # The class of the character before is tried first.
        last = rows[-1][2] - 1 if rows else 0
        order = [last, *range(len(representatives))]
        found = next((i for i in order if i < len(representatives) and
                      not splits(representatives[i] + chr(c))), None)
        if found is None:
            found = len(representatives)
            representatives.append(chr(c))
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == found + 1:
            rows[-1][1] = c
        else:
            rows.append([c, c, found + 1])
    return rows


def grapheme_probe():
    """A Precompiled normalizer that writes Z for a grapheme below 6 bytes, else Z per character.

    Its map has each byte as a key, and a shorter key wins: a double array (Darts) of 256 leaves.
    """
    offset = 256  # of the root's children: byte ^ offset; each child's leaf lies 512 further on
    units = [0] * 1024
    units[0] = offset << 10
    for byte in range(1, 256):
        child = offset ^ byte
        units[child] = (512 << 10) | (1 << 8) | byte  # has a leaf
        units[child ^ 512] = (1 << 31) | 0  # the value: text at 0
    blob = struct.pack("<I", 4 * len(units)) + struct.pack("<1024I", *units) + b"Z\0"
    normalizer = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(blob).decode()}
    return tokenizers.Tokenizer.from_str(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": normalizer, "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {"Z": 0}, "unk_token": "Z"}})).normalizer


def grapheme_sets():
    """UAX 29 classes, as far as they decide about graphemes below 6 bytes."""
    probe = grapheme_probe()

    def count(text):
        return len(probe.normalize_str(text))

    assert count("ab") == 2 and count("a\u0301") == 1 and count("\r\n") == 1
    extends = {c for c in CODE_POINTS if count("a" + chr(c)) == 1}
    prepends = {c for c in CODE_POINTS if c > 0x7F and count(chr(c) + "a") == 1}
    # A grapheme of 6 bytes or more is taken apart: an accent of 2 bytes at the end of one that
    # joins makes itself known by a Z of its own.
    accent = "\u0301"
    controls = {c for c in CODE_POINTS if c not in extends and count(chr(c) + accent + accent) == 2}
    pictures = {c for c in CODE_POINTS if c not in extends | controls and
                count("\u00a9\u200d" + chr(c) + accent) == 4}
    letter, virama = "\u0915", "\u094d"
    consonants = {c for c in CODE_POINTS if 0x800 <= c < 0x10000 and
                  c not in extends | controls and
                  count(letter + virama + chr(c) + accent) == 4}
    linkers = {c for c in extends if c >= 0x800 and
               count(letter + chr(c) + letter + accent) == 4}
    joiners = {c for c in extends if c not in linkers and
               count(letter + chr(c) + virama + letter + accent) == 5}
    return [("kGraphemeExtends", "Never begins a grapheme behind another character.", extends),
            ("kGraphemeControls", "Always stands alone; but CR and LF join.", controls),
            ("kGraphemePrepends", "Joins the character behind it.", prepends),
            ("kPictographs", "Extended_Pictographic: joins another one behind a ZWJ.", pictures),
            ("kConjunctConsonants", "InCB=Consonant.", consonants),
            ("kConjunctLinkers", "InCB=Linker.", linkers),
            ("kConjunctBreakers", "Extends a grapheme, but ends a conjunct.", extends - linkers -
             joiners)]


def main():
    numbers = numeric_set()
    marks = where(normalizers.StripAccents(), lambda c, out: out == "")
    compatible = where(normalizers.NFKD(), lambda c, out: out != c)
    rust_words, _ = added_token_sets()
    onig_words = matches(r"\w")
    parts = [
        "// Generated by tools/make_tokenizer_tables.py from tokenizers "
        f"{tokenizers.__version__}.\n// Do not edit.\n",
        range_table("kNumeric", "char::is_numeric of Rust, which Digits looks for.", numbers),
        range_table("kCombiningMarks", "What StripAccents removes.", marks),
        range_table("kCompatibilityDecomposes", "What NFKD changes (Unicode 9).", compatible),
        range_table("kOnlyRustWord", "\\w in Rust's expressions and not in Oniguruma's.",
                    rust_words - onig_words),
        range_table("kOnlyOnigurumaWord", "The other way round.", onig_words - rust_words),
        *[range_table(*row) for row in grapheme_sets()],
        table("kSplitScripts", "Classes of UnicodeScripts; what is missing is in none.",
              [f"{{0x{a:X}, 0x{b:X}, {k}}}" for a, b, k in split_scripts()], "CodePointClass"),
    ]
    rows = [(name, a, b) for name in SCRIPTS for a, b in runs(matches(r"\p{%s}" % name))]
    parts.append(table("kRegexScripts", "Scripts that expressions may name.",
                       [f'{{0x{a:X}, 0x{b:X}, "{name}"}}' for name, a, b in rows],
                       "CategoryRange"))
    OUTPUT.write_text("\n".join(parts))
    print(f"wrote {OUTPUT}: {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
