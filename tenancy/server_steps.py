"""The steps of a server's set-up and what came of each. Filled by `tenancy.server_setup`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from schema.errors import HelixError, Transient


class State(StrEnum):
    """What came of a step."""

    OK = "ok"
    DONE = "done"
    WOULD = "would"
    """Only planned."""
    ASK = "ask"
    """We may not: somebody else has to."""
    CONFIGURE = "configure"
    """A line for the server's configuration file."""

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done by a person."""
        return self in (State.ASK, State.CONFIGURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at. Holds no secret: it is printed."""

    name: str
    state: State
    what: str
    why: str | None = None
    do: str | None = None
    is_bad: bool = False
    """It is left open, and data or isolation are in danger."""


class Steps:
    """All so far; each is reported as it comes."""

    def __init__(self, *, plan: bool, report: Callable[[Step], None]) -> None:
        self.plan = plan
        self.all: list[Step] = []
        self._report = report

    @property
    def is_bad(self) -> bool:
        """Whether data or isolation are in danger."""
        return any(step.is_bad for step in self.all)

    def add(
        self,
        name: str,
        state: State,
        what: str,
        *,
        why: str | None = None,
        do: str | None = None,
        is_bad: bool = False,
    ) -> None:
        """One more."""
        step = Step(name=name, state=state, what=what, why=why, do=do, is_bad=is_bad)
        self.all.append(step)
        self._report(step)

    async def mend(
        self,
        name: str,
        look: Callable[[], Awaitable[list[str]]],
        mend: Callable[[list[str]], Awaitable[None]],
        *,
        why: str,
        ask: str,
    ) -> None:
        """Something that should not be there: gone, or told whom to ask."""
        try:
            found = await look()
            if found and not self.plan:
                await mend(found)
        except HelixError as error:
            if isinstance(error, Transient):
                raise
            text = f"we may not look or change it ({error})"
            self.add(name, State.ASK, text, why=why, do=ask, is_bad=True)
            return
        if not found:
            self.add(name, State.OK, "none")
        elif self.plan:
            self.add(name, State.WOULD, f"would go: {', '.join(found)}", why=why)
        else:
            self.add(name, State.DONE, f"gone: {', '.join(found)}", why=why)
