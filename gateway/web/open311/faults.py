"""What is wrong with a request: every fault at once, in words that may be shown to whoever typed it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.web.open311.wire import Answer, Many, Row
from normalizer.errors import JiesuError

BAD, KEY, UNKNOWN, METHOD, TWICE, LARGE, OFTEN, BUSY = 400, 403, 404, 405, 409, 413, 429, 503


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: a code, which may be finer than the HTTP status, and what to do."""

    code: int
    description: str


class Faulty(JiesuError):
    """The request has faults; they are what is answered."""

    def __init__(self, *faults: Fault, retry_after: int = 0) -> None:
        super().__init__("; ".join(fault.description for fault in faults))
        self.faults = faults
        self.retry_after = retry_after

    @property
    def status(self) -> int:
        """The HTTP status: 404 for what is not there, 403 for the key, 503 when we are to blame, 400 for all else."""
        codes = {fault.code for fault in self.faults}
        return next((code for code in (KEY, UNKNOWN, BUSY) if code in codes), BAD)

    def answer(self) -> Answer:
        """Return the faults as they are written."""
        rows: list[Row] = [{"code": fault.code, "description": fault.description} for fault in self.faults]
        return Answer("errors", Many("error", rows))


def faulty(code: int, description: str, *, retry_after: int = 0) -> Faulty:
    """Return the error of a single fault."""
    return Faulty(Fault(code, description), retry_after=retry_after)
