"""Reads JSON with what people add to it: comments, commas before a closing bracket, a BOM.

What is no JSON is blanked, character for character, so that every place in the text stays where
it is. IAM itself refuses such text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
# A string, a comment, or a comma that nothing but space and comments parts from a bracket.
_TOKEN = re.compile(
    # Unended strings and comments reach to the end of the text: no place is looked at twice.
    r'"(?:[^"\\]|\\.)*"?'
    r"|//[^\n\r]*|\#[^\n\r]*|/\*.*?(?:\*/|\Z)"
    r"|,",
    re.DOTALL,
)
_SPACE = re.compile(r"[^\n\r]")
_NEXT = re.compile(r"[ \t\n\r]*(.?)", re.DOTALL)


class Remark(NamedTuple):
    """Something that JSON does not have: what, and the character at which it begins."""

    what: str
    place: int


def tolerant(text: str) -> tuple[str, list[Remark]]:
    """Return strict text of the same length, and what was blanked, in order.

    What is no JSON for another reason stays as it is, for the parser to refuse.
    """
    remarks: list[Remark] = []
    if text.startswith(BOM):
        remarks.append(Remark("a byte order mark", 0))
        text = " " + text[1:]
    if "//" in text or "/*" in text or "#" in text:
        text = _TOKEN.sub(lambda found: _comment(found, remarks), text)
    text = _TOKEN.sub(lambda found: _comma(found, text, remarks), text)
    return text, sorted(remarks, key=lambda each: each.place)


def _comment(found: re.Match[str], remarks: list[Remark]) -> str:
    token = found.group()
    unended = token.startswith("/*") and (len(token) < 4 or not token.endswith("*/"))
    if token[0] not in "/#" or unended:
        return token
    remarks.append(Remark("a comment", found.start()))
    return _SPACE.sub(" ", token)


def _comma(found: re.Match[str], text: str, remarks: list[Remark]) -> str:
    if found.group() != ",":
        return found.group()
    following = _NEXT.match(text, found.end())
    if following is None or following.group(1) not in ("]", "}"):
        return found.group()
    remarks.append(Remark("a comma before a closing bracket", found.start()))
    return " "
