"""The texts that the default model reads: where they come from, how they are cleaned, what is held
out.

Sources are the archives of one data folder: 713 books published before 1930 (public domain), three
OpenStax textbooks (CC BY 4.0), Python's PEPs (public domain / CC0) and Ethereum's EIPs (CC0).
"""

import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

ARCHIVES = {
    "books": "corpus-classic-books/classic-books-pre1930.tar.xz",
    "textbooks": "corpus-openstax-ccby/openstax-ccby.tar.xz",
    "peps": "corpus-peps/peps.tar.xz",
    "eips": "corpus-eips/eips.tar.xz",
}
# What the last phase of training is annealed on.
CLEAN_SOURCES = ("books", "textbooks")

# books-6m's four, which the tests know; further ones are every EVERY_HELD_OUT-th book by name.
HELD_OUT_BOOKS = ("Ozma of Oz.md", "The Adventure of the Norwood Builder.md",
                  "Anne of the Island.md", "The Time Machine.md")
EVERY_HELD_OUT = 90

# A training text that shares this many long paragraphs with a held-out one is an edition of it.
MAX_SHARED_PARAGRAPHS = 4
LONG_PARAGRAPH = 100  # characters

_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "…": "...", "—": "--",
                             "–": "-", "\u00a0": " ", "\r": None})
_CHAPTER = re.compile(r"[IVXLC.\d ]+|CHAPTER.*|\W+")


@dataclass
class Document:
    source: str
    name: str
    text: str


def clean_book(text):
    """Markdown to prose: no headings, links or emphasis, one paragraph a line."""
    text = re.sub(r"^#+ .*$", "", text.translate(_TYPOGRAPHY), flags=re.M)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[ \t]+", " ", re.sub(r"[*_]+", "", text))
    paragraphs = (re.sub(r"\s*\n\s*", " ", paragraph).strip()
                  for paragraph in re.split(r"\n\s*\n", text))
    return "\n".join(paragraph for paragraph in paragraphs
                     if len(paragraph) > 1 and not _CHAPTER.fullmatch(paragraph))


def clean_plain(text):
    """Technical text keeps its lines: they mean something."""
    text = re.sub(r"[ \t]+\n", "\n", text.translate(_TYPOGRAPHY))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def read_documents(data_folder, sources=tuple(ARCHIVES)):
    """All documents of `sources`, by name."""
    documents = []
    for source in sources:
        clean = clean_book if source == "books" else clean_plain
        with tarfile.open(Path(data_folder) / ARCHIVES[source]) as archive:
            for member in archive:
                if not member.isfile():
                    continue
                text = archive.extractfile(member).read().decode("utf-8", errors="strict")
                documents.append(Document(source, member.name, clean(text)))
    return sorted(documents, key=lambda document: (document.source, document.name))


def long_paragraphs(document):
    return {hash(line) for line in document.text.split("\n") if len(line) >= LONG_PARAGRAPH}


def split_held_out(documents):
    """(training, held out, dropped): dropped are other editions of held-out texts."""
    books = [document for document in documents if document.source == "books"]
    names = {document.name for document in books[::EVERY_HELD_OUT]}
    names |= {document.name for document in books
              if Path(document.name).name in HELD_OUT_BOOKS}
    held_out = [document for document in documents if document.name in names]
    known = set().union(*map(long_paragraphs, held_out)) if held_out else set()
    training, dropped = [], []
    for document in documents:
        if document.name in names:
            continue
        shared = len(long_paragraphs(document) & known)
        (dropped if shared >= MAX_SHARED_PARAGRAPHS else training).append(document)
    return training, held_out, dropped
