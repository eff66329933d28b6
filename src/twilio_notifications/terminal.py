"""Prints the lines of the commands: whole lines that cannot steer the terminal and fit its encoding.

A line may hold text from outside: a request's id, Twilio's message, a broker's reason. This module escapes
each character that a terminal obeys instead of showing it, as JSON does, so that printed JSON stays the same
JSON.
"""

from __future__ import annotations

import io
import shutil
import sys
import unicodedata

from twilio_notifications.core.errors import OutputLost

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of control, format (bidirectional overrides among them) and separator characters."""

_WIDE = frozenset({"W", "F"})
"""Unicode's categories of characters that take two columns (UAX 11)."""

LEAST_COLUMNS = 40
FILE_COLUMNS = 160
"""Where there is no terminal."""

_JOINERS = frozenset("\u200c\u200d")
"""Format characters that spelling needs, in Persian and in emoji; no terminal obeys them."""


def say(*lines: str) -> None:
    """Prints each line at once to standard output. Raises OutputLost where it cannot be written."""
    out = sys.stdout
    if out is None:
        raise OutputLost("standard output is closed: what the command found cannot be shown")
    encoding = out.encoding or "ascii"
    try:
        out.writelines(f"{_encodable(printable(line), encoding)}\n" for line in lines)
        out.flush()
    except BrokenPipeError as error:
        raise OutputLost("the program that reads the output has ended", reader_left=True) from error
    except OSError as error:
        # Newer versions of Python keep the line and fail once more at the end, over the same loss.
        sys.stdout = None
        raise OutputLost(f"standard output cannot be written: {error.strerror}") from error


def confirmed(question: str) -> bool | None:
    """Asks, and reads the answer from standard input; None where no person could answer.

    Only "y" and "yes" agree. The question goes to standard error, so that it is seen where the output is not.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        sys.stderr.write(f"{printable(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    except OSError:
        return None


def complain(line: str) -> None:
    """Prints a line to standard error. Where that is impossible, only the exit code is left to say it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{printable(line)}\n")
        sys.stderr.flush()
    except OSError:
        return


def columns() -> int:
    """Columns that a line may have: those of the terminal, or $COLUMNS, or else a line of a file."""
    return max(LEAST_COLUMNS, shutil.get_terminal_size(fallback=(FILE_COLUMNS, 24)).columns)


def width_of(text: str) -> int:
    """Columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(one) for one in text)


def fitted(text: str, width: int) -> str:
    """The text in at most that many columns; what is cut off is an ellipsis."""
    if width_of(text) <= width:
        return text
    taken, used = "", 0
    for one in text:
        if used + _width(one) > width - 1:
            break
        taken, used = taken + one, used + _width(one)
    return f"{taken}…"


def _width(one: str) -> int:
    if unicodedata.combining(one) or one in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(one) in _WIDE else 1


def flushed() -> bool:
    """Writes out what argparse or a library left in the buffers; False where that is impossible."""
    is_complete = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            continue  # the reader has read enough
        except OSError:
            is_complete = False
    return is_complete


def printable(text: str) -> str:
    """The text on one line, with an escape for each character that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(one) if unicodedata.category(one) in _OBEYED and one not in _JOINERS else one for one in text
    )


def escape_what_does_not_fit() -> None:
    """Has argparse, which prints by itself, escape what the terminal's encoding lacks instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _encodable(line: str, encoding: str) -> str:
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return "".join(one if one.isascii() else _escaped(one) for one in line)
    return line


def _escaped(one: str) -> str:
    r"""The character as JSON escapes it: \u and four digits, twice beyond the first 65,536 characters."""
    units = one.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
