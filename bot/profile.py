"""What a dealer may set about his own Lucas. Built by `worker` from the dealer's table, handed in.

Rows of `lucas_ajustes` (nome, valor); a missing one means its default, an unreadable one too.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.agenda.closed import STATES, ClosedDays, dates

NAME_LIMIT = 40
WELCOME_LIMIT = 300
DATES_LIMIT = 500


class Profile(BaseModel):
    """One field for each setting, named as the row is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nome_agente: str = Field(
        "Lucas", min_length=1, max_length=NAME_LIMIT, description="How the agent is called."
    )
    boas_vindas: str | None = Field(
        None, max_length=WELCOME_LIMIT,
        description="Stands in the first answer in place of 'Aqui é o Lucas, ...'.",
    )  # fmt: skip
    diz_que_e_virtual: bool = Field(
        True, description="The first greeting says 'assistente virtual'; asked, he always does."
    )
    visitas: bool = Field(True, description="Books visits; else a seller does.")
    financiamento: bool = Field(True, description="Collects what a simulation needs.")
    audio: bool = Field(True, description="Answers a voice message that has a transcript.")
    visitas_por_horario: int = Field(
        0, ge=0, le=50, description="So many buyers at one time; 0: no limit."
    )
    lembretes: bool = Field(True, description="Reminds buyers of their appointments.")
    lembrete_vespera_h: int = Field(
        18, ge=8, le=20,
        description="The evening's reminder goes out in the two hours from then on.",
    )  # fmt: skip
    lembrete_minimo_h: float = Field(
        3.0, ge=0, le=48,
        description="No reminder so soon after the appointment was made or moved.",
    )  # fmt: skip
    volta_apos_h: float | None = Field(
        None, gt=0, le=720,
        description="Hours of opening time after a seller's last word until Lucas returns.",
    )  # fmt: skip
    fuso: str | None = Field(None, description="The dealer's time zone; else the platform's.")
    uf: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="State of the holidays; else from the address."
    )
    feriados_da_loja: str = Field(
        "", max_length=DATES_LIMIT, description="Days closed: 24/12, 2026-07-09."
    )
    abre_em_feriados: str = Field("", max_length=DATES_LIMIT, description="Holidays open as usual.")

    @field_validator("fuso")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name or "UTC")
        except (KeyError, OSError) as error:  # ValueError is pydantic's own word already
            raise ValueError(f"no such time zone: {name}") from error
        return name

    def zone(self, default: ZoneInfo) -> ZoneInfo:
        """The time zone of `agendamentos.data_agendada` and of all that Lucas says."""
        return ZoneInfo(self.fuso) if self.fuso else default

    def closed_days(self, uf: str | None) -> ClosedDays:
        """Holidays and the dealer's own; `uf`: of his address, where he set none."""
        return ClosedDays(
            uf=self.uf or uf,
            own=dates(self.feriados_da_loja),
            open_on=dates(self.abre_em_feriados),
        )


def read_profile(rows: Mapping[str, str | None]) -> tuple[Profile, tuple[str, ...]]:
    """The profile, and the names of rows that are unknown or unreadable (their default holds)."""
    told = {name: _plain(value) for name, value in rows.items() if value is not None}
    bad: list[str] = []
    while True:
        try:
            return Profile.model_validate(told), tuple(bad)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        bad += sorted(wrong)
        told = {name: value for name, value in told.items() if name not in wrong}


_YES_NO = "sim or não"
_DATES = "dates separated by commas: 24/12, 31/12/2026"
ALLOWED: Mapping[str, str] = {
    "nome_agente": f"1 to {NAME_LIMIT} characters",
    "boas_vindas": f"1 to {WELCOME_LIMIT} characters",
    "diz_que_e_virtual": _YES_NO,
    "visitas": _YES_NO,
    "financiamento": _YES_NO,
    "audio": _YES_NO,
    "visitas_por_horario": "a whole number from 0 (no limit) to 50",
    "lembretes": _YES_NO,
    "lembrete_vespera_h": "a whole hour from 8 to 20",
    "lembrete_minimo_h": "hours: 0 to 48; parts with a point, 1.5",
    "volta_apos_h": "hours: more than 0, up to 720; parts with a point, 1.5",
    "fuso": "a time zone's name: America/Sao_Paulo, America/Manaus, ...",
    "uf": f"one of {', '.join(STATES)}",
    "feriados_da_loja": _DATES,
    "abre_em_feriados": _DATES,
}
"""What each setting may be, for people."""


class BadSetting(ValueError):
    """A name or value that Lucas would not understand; its text says what is allowed."""


def checked(name: str, value: str) -> str:
    """The value as the row should hold it. Raises BadSetting.

    Stricter than reading: a person who sets something is there to hear of a slip.
    """
    if name not in Profile.model_fields:
        raise BadSetting(f"there is no setting {name!r}; allowed: {', '.join(ALLOWED)}")
    told = value.strip()
    if not told or not _is_understood(name, told):
        raise BadSetting(f"{name} cannot be {value!r}; allowed: {ALLOWED[name]}")
    return told


def as_told(value: object) -> str | None:
    """A setting's value in the words of its row."""
    if isinstance(value, bool):
        return "sim" if value else "não"
    return None if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)


def _is_understood(name: str, told: str) -> bool:
    if name == "uf":
        return told in STATES
    if ALLOWED[name] == _DATES:
        parts = told.split(",")
        return len(told) <= DATES_LIMIT and all(len(dates(part)) == 1 for part in parts)
    return not read_profile({name: told})[1]


def _plain(value: str) -> str:
    """sim and não are what a dealer writes for true and false."""
    said = value.strip()
    return {"sim": "true", "nao": "false", "não": "false"}.get(said.lower(), said)
