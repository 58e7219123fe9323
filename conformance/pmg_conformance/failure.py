"""How a check says that a contract is broken, or that it could not find out."""

from __future__ import annotations

__all__ = ["ConformanceFailure", "NotRun", "expect"]


class ConformanceFailure(AssertionError):
    """The adapter breaks its contract.

    Attributes:
        expected: what the contract says.
        got: what the adapter did.
        cause: where to look first; "" where nothing is likelier than the rest.
    """

    def __init__(self, expected: str, got: str, cause: str = "") -> None:
        super().__init__(
            f"{expected} was expected; got {got}" + (f". Likely cause: {cause}" if cause else "")
        )
        self.expected, self.got, self.cause = expected, got, cause


class NotRun(Exception):
    """The check needs something that is not here; it is neither passed nor failed."""


def expect(holds: bool, expected: str, got: object, cause: str = "") -> None:
    """Raise a `ConformanceFailure` unless `holds`."""
    if not holds:
        raise ConformanceFailure(expected, str(got), cause)
