"""The shells for which there is a script."""

from __future__ import annotations

from enum import StrEnum


class Shell(StrEnum):
    """A shell, by the name of its program."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
