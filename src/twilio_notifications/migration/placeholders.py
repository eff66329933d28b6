"""Finds the placeholders that other tools and people leave in a file before its values are put in.

Shells, the Serverless framework, Terraform, Jinja, Ansible, Maven, Azure DevOps and people write `${NAME}`,
`$NAME`, `{{ NAME }}`, `%NAME%`, `<NAME>` and more. No value of Greengrass has one of these forms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.migration.partly import Hole

if TYPE_CHECKING:
    from collections.abc import Iterator

# The quantifiers are possessive, so that the pattern scans a long text without an end only once.
_NESTED = r"(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})"
_PLACEHOLDER = re.compile(
    rf"""
      \$\{{\{{(?P<actions>[^{{}}]*)\}}\}}            # ${{ NAME }} of GitHub
    | \$\{{(?P<braces>{_NESTED}*+)\}}                 # ${{NAME}} of shells, Serverless, Terraform, Maven
    | \$\{{(?P<unclosed>.*)                          # what is left of a nested one
    | \$\((?P<command>[^()]*)\)                      # $(NAME) of make and of shells
    | \$(?:env:)?(?!aws\b|LATEST\b)(?P<shell>[A-Za-z_]\w*)   # $NAME, but no reserved topic and no qualifier
    | \{{\{{(?P<jinja>[^{{}}]*)\}}\}}                # {{{{ NAME }}}}, and CloudFormation's {{{{resolve:…}}}}
    | \{{%(?P<block>[^%]*)%\}}
    | \#\{{(?P<hash>[^{{}}]*)\}}\#?                  # #{{NAME}}# of Azure and Octopus
    | \{{(?P<single>[A-Za-z_][\w.:\- ]*)\}}          # {{NAME}} of Python
    | <%=?(?P<erb>[^<>%]*)%>
    | <(?P<angle>[^<>]+)>                            # <name> as documents write it
    | %\((?P<python>\w+)\)s
    | %(?P<windows>[A-Za-z_]\w*)%
    | @@?(?P<at>[A-Za-z_][\w.\-]*)@@?                # @NAME@ of Maven and Ant
    | (?<!\w)__(?P<underscored>[A-Z][A-Z0-9_]*?)__(?!\w)
    | \[\[(?P<brackets>[^\[\]]+)\]\]
    | \(\((?P<parentheses>[^()]+)\)\)                # ((NAME)) of Concourse
    | `(?P<backquoted>[^`]*)`
    | (?P<dots>\.\.\.|…)
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFAULT = re.compile(r"\s*(?:,|:[-=?+]|\|).*", re.DOTALL)
"""A tool's default for a name without a value: `${NAME:-x}`, `${opt:stage, 'dev'}`, `{{ NAME | x }}`."""
_WORD = re.compile(
    r"(?<![a-z])(change[_\- ]?me|replace([_\- ]?(me|this|with))?(?![a-z])|your[_\- ]|placeholder)|xxxx",
    re.IGNORECASE,
)


def holes_in(text: str) -> tuple[str | Hole, ...]:
    """The text in parts: plain text, and a hole for each placeholder."""
    return tuple(part for part in _parts(text) if part != "")


def _parts(text: str) -> Iterator[str | Hole]:
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        yield text[end : match.start()]
        inner = match[match.lastgroup or 0].strip()
        name = inner if inner.startswith("resolve:") else _DEFAULT.sub("", inner).strip()
        yield Hole(label=(name or match[0])[:300], names=(name or match[0],))
        end = match.end()
    yield text[end:]


def is_stand_in(text: str) -> bool:
    """Whether the words of a text ask a person to replace it, as `CHANGE_ME` does."""
    return _WORD.search(text) is not None
