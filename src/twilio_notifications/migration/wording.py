"""Sentences and names that may quote a file, as a terminal or a page may show them."""

from __future__ import annotations

_LONGEST_SENTENCE = 2_000
_LONGEST_CODE = 300
_MARKUP = "\\`*_[]<>|#"


def plain(sentence: str) -> str:
    """One line that steers no terminal, whatever a file holds."""
    shortened = sentence if len(sentence) <= _LONGEST_SENTENCE else f"{sentence[:_LONGEST_SENTENCE]}…"
    return "".join(character if character.isprintable() else "?" for character in shortened)


def code(text: str) -> str:
    """A name as Markdown shows it, whatever is in it: no markup of its own."""
    quoted = plain(text).replace("`", "'").replace("|", "\\|")
    shortened = quoted if len(quoted) <= _LONGEST_CODE else f"{quoted[:_LONGEST_CODE]}…"
    return f"`{shortened}`" if shortened.strip() else "(empty)"


def prose(sentence: str) -> str:
    """A sentence as Markdown shows it: what could be markup in it is not."""
    escaped = plain(sentence)
    for character in _MARKUP:
        escaped = escaped.replace(character, f"\\{character}")
    return f"{escaped[:1].upper()}{escaped[1:]}."
