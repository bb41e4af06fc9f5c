"""Character classes of split patterns, over every code point, against Oniguruma as the library runs
it."""
import json

import pytest
from tokenizers import Tokenizer

from test_tokenizer import tool  # noqa: F401
from tokenizer_comparison import assert_same

PATTERNS = [r"\w", r"[\w]", r"\W", r"[\W]", r"[^\w]", r"[^\W]", r"[\w\s]", r"[^\s\w]", r"[a[\w]]",
            r"[\w&&[^a-z]]", r"[\d\w]", r"[\p{P}\W]", r"\s", r"[\s]", r"[^\s]", r"\d", r"[^\d]",
            r"[\p{L}\p{N}]", r"[^\p{L}\p{N}\s]", r"\p{N}", r"\p{No}", r"[\p{Han}\w]"]
SURROGATES = range(0xD800, 0xE000)
TEXT_SIZE = 500


def document(pattern):
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None, "post_processor": None, "decoder": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
                          "invert": False},
        "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}})


@pytest.mark.parametrize("pattern", PATTERNS)
def test_members(pattern, tool, tmp_path):  # noqa: F811
    path = tmp_path / "tokenizer.json"
    path.write_text(document(pattern))
    characters = [chr(code) for code in range(0x110000) if code not in SURROGATES]
    texts = ["".join(characters[at:at + TEXT_SIZE]) for at in range(0, len(characters), TEXT_SIZE)]
    oracle = Tokenizer.from_str(document(pattern))
    assert assert_same(tool, path, oracle, texts) == len(texts)
