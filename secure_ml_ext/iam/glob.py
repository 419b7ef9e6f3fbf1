"""Matching with ``*`` and ``?`` in bounded time, without regular expressions.

A pattern is a list of pieces: text (taken literally), ``ANY`` for one character and ``MANY`` for
any number of them; ``ANY_INSIDE`` and ``MANY_INSIDE`` stop at a colon. With text and ``MANY`` alone
the work is a few searches of substrings; otherwise one step per character of the value on a bit
set of the pattern's positions. Neither ever goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

# Longer than any value AWS sends. A pattern that needs more characters matches nothing.
MAX_CHARACTERS = 8192
# Patterns beyond this many characters keep no tables: many of them would fill the memory.
_MOST_KEPT = 512

ANY = 1
MANY = 2
ANY_INSIDE = 3
MANY_INSIDE = 4
Piece = str | int
Matcher = Callable[[str], bool]


def pieces_of(text: str) -> list[Piece]:
    """Split a pattern into literal text, ``ANY`` and ``MANY``; neighbouring stars become one."""
    if "*" not in text and "?" not in text:
        return [text]
    pieces: list[Piece] = []
    start = 0
    for place, character in enumerate(text):
        if character in "*?":
            if place > start:
                pieces.append(text[start:place])
            start = place + 1
            if character == "?":
                pieces.append(ANY)
            elif not pieces or pieces[-1] != MANY:
                pieces.append(MANY)
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def join(pieces: Iterable[Piece]) -> list[Piece]:
    """Merge neighbouring texts and neighbouring stars."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and isinstance(piece, str) and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != MANY or not joined or joined[-1] != MANY:
            joined.append(piece)
    return joined


def matcher(pieces: list[Piece]) -> Matcher:
    """Return a function that tells whether a whole value matches the pieces."""
    kinds = {piece for piece in pieces if isinstance(piece, int)}
    shortest = sum(_length(piece) for piece in pieces)
    if shortest > MAX_CHARACTERS:
        return lambda value: False
    if kinds - {MANY}:
        if shortest <= _MOST_KEPT:
            return _bits(pieces)
        return lambda value: _bits(pieces)(value)
    if not kinds:
        return "".join(p for p in pieces if isinstance(p, str)).__eq__
    if pieces == [MANY]:
        return lambda value: True
    return _stars(pieces)


def _length(piece: Piece) -> int:
    """Return how many characters a piece takes at least."""
    return len(piece) if isinstance(piece, str) else int(piece in (ANY, ANY_INSIDE))


def _stars(pieces: list[Piece]) -> Matcher:
    """Text and stars only: a beginning, an end, and what has to come between them in order."""
    head = pieces[0] if isinstance(pieces[0], str) else ""
    tail = pieces[-1] if isinstance(pieces[-1], str) else ""
    inner = pieces[1 if head else 0 : -1 if tail else None]
    middle = [piece for piece in inner if isinstance(piece, str)]
    shortest = len(head) + len(tail)
    if not middle:
        if not tail:
            return lambda value: value.startswith(head)
        return lambda value: (
            len(value) >= shortest and value.startswith(head) and value.endswith(tail)
        )

    def matches(value: str) -> bool:
        end = len(value) - len(tail)
        if end < len(head) or not value.startswith(head) or not value.endswith(tail):
            return False
        at = len(head)
        for text in middle:
            found = value.find(text, at, end)
            if found < 0:
                return False
            at = found + len(text)
        return True

    return matches


def _bits(pieces: list[Piece]) -> Matcher:
    """Simulate the pattern as a bit set: bit i is set while the first i positions have matched.

    Text at either end is compared as a whole first.
    """
    head = pieces[0] if isinstance(pieces[0], str) else ""
    tail = pieces[-1] if isinstance(pieces[-1], str) else ""
    where: dict[str, int] = {}  # character -> positions that ask for it
    step = dict.fromkeys((ANY, ANY_INSIDE, MANY, MANY_INSIDE), 0)
    length = 0
    for piece in pieces[1 if head else 0 : -1 if tail else None]:
        if isinstance(piece, str):
            for character in piece:
                where[character] = where.get(character, 0) | 1 << length
                length += 1
        else:
            step[piece] |= 1 << length
            length += piece in (ANY, ANY_INSIDE)
    at_colon = (step[ANY], step[MANY])
    elsewhere = (step[ANY] | step[ANY_INSIDE], step[MANY] | step[MANY_INSIDE])
    final = 1 << length

    def matches(value: str) -> bool:
        end = len(value) - len(tail)
        if end < len(head) or not value.startswith(head) or not value.endswith(tail):
            return False
        state = 1
        for character in value[len(head) : end]:
            anything, stay = at_colon if character == ":" else elsewhere
            state = ((state & (where.get(character, 0) | anything)) << 1) | (state & stay)
            if not state:
                return False
        return state & final != 0

    return matches
