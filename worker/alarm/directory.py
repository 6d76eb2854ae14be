"""All empresas and channels as the watcher needs them, in two statements. Kept for a minute."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.agenda.closed import state_of
from bot.agenda.hours import OpeningHours, opening_hours
from bot.profile import Profile
from tenancy.central import Central
from tenancy.registry import ACTIVE

_EMPRESAS = (
    "SELECT id, status, bot_ativo, horario, endereco FROM empresas WHERE db_name IS NOT NULL"
)
_CHANNELS = "SELECT id, empresa_id, ativo FROM canais"
_FRESH_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An empresa."""

    status: str
    bot_ativo: bool
    horario: str | None
    endereco: str | None = None

    @property
    def opening(self) -> OpeningHours | None:
        """None where his words say nothing. National holidays and those of his state are closed;
        the days that he set himself are in his own database, which is not asked for this."""
        return opening_hours(self.horario, Profile().closed_days(state_of(self.endereco)))

    @property
    def is_served(self) -> bool:
        """Whether anything is done for it at all."""
        return self.status == ACTIVE

    @property
    def is_answered(self) -> bool:
        """Whether Lucas answers its buyers."""
        return self.is_served and self.bot_ativo


@dataclass(frozen=True, slots=True)
class Known:
    """Everything at one moment."""

    empresas: dict[int, Entry]
    channels: dict[int, int]
    """Those that are switched on, with whose they are."""

    def answered(self, empresa_id: int) -> Entry | None:
        """None when Lucas does not answer there."""
        entry = self.empresas.get(empresa_id)
        return entry if entry is not None and entry.is_answered else None


class Directory:
    """Reads the central database."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._known: Known | None = None
        self._read_at = 0.0

    async def read(self, *, fresh: bool = False) -> Known:
        """With `fresh`, at most a minute old. Raises CentralUnavailable, without it only where
        nothing was ever read."""
        age_s = time.monotonic() - self._read_at
        if self._known is None or (fresh and age_s > _FRESH_S):
            async with self._central.connection() as conn:
                empresas = await conn.fetch_all(_EMPRESAS)
                channels = await conn.fetch_all(_CHANNELS)
            self._known = Known(
                {id_: Entry(status=status, bot_ativo=bool(bot), horario=horario, endereco=address)
                 for id_, status, bot, horario, address in empresas},
                {row[0]: row[1] for row in channels if row[2]},
            )  # fmt: skip
            self._read_at = time.monotonic()
        return self._known
