"""What can go wrong before a night begins.

Misconfigured                several things stand in the way; one alone is raised as the error that it is
"""

from collections.abc import Sequence


class Misconfigured(Exception):
    """Everything that is wrong with what was asked for, in one message; nothing was asked or written."""

    def __init__(self, faults: Sequence[Exception]) -> None:
        self.faults = tuple(faults)
        lines = [f"{len(faults)} things have to be set right first", *(f"- {_sentence(fault)}" for fault in faults)]
        super().__init__("\n".join(lines))


def _sentence(fault: Exception) -> str:
    if isinstance(fault, OSError) and fault.filename:
        return f"{fault.filename}: {fault.strerror}"
    return str(fault)
