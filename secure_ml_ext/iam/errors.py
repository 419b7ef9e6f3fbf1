"""What is wrong with a policy document, and where."""

from __future__ import annotations


class PolicyError(ValueError):
    """A policy document or bundle that IAM would not accept; the message names the place.

    ``document`` is its name or ARN, ``statement`` the index from 0, ``path`` the keys and
    indexes that lead to the place, ``character`` the offset from 0: in the document where that
    was given as text, otherwise in the string at ``path``; None where there is no such place.
    """

    def __init__(
        self,
        problem: str,
        *,
        document: str = "",
        path: tuple[str | int, ...] = (),
        character: int | None = None,
        line: tuple[int, int] | None = None,
    ) -> None:
        self.problem = problem
        self.document = document
        self.path = path
        self.character = character
        self.line = line
        super().__init__(f"{self._place()}: {problem}" if self._place() else problem)

    @property
    def statement(self) -> int | None:
        """The index of the statement, or None where the whole document is meant."""
        if self.path[:1] == ("Statement",):
            return self.path[1] if len(self.path) > 1 and isinstance(self.path[1], int) else 0
        return None

    def _place(self) -> str:
        parts = [self.document] if self.document else []
        if self.statement is not None:
            parts.append(f"statement {self.statement}")
        if inner := [part for part in self.path if part != "Statement"][self._skip() :]:
            parts.append(" ".join(str(part) for part in inner))
        if self.line:
            parts.append(f"line {self.line[0]} column {self.line[1]}")
        if self.character is not None:
            parts.append(f"character {self.character}")
        return ", ".join(parts)

    def _skip(self) -> int:
        return 1 if len(self.path) > 1 and isinstance(self.path[1], int) else 0
