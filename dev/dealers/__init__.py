"""The two dealers of the demo and the terminal chat, as data. Read by `dev.chat` and `dev.demo`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tenancy.empresas import Profile

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDealer:
    """A dealer with one WhatsApp number and a stock file."""

    empresa_id: int
    profile: Profile
    gateway: str
    channel: str
    """The number's identifier at its gateway."""
    stock: Path
    """Cars as `helix stock import` reads them."""

    @property
    def nome(self) -> str:
        """As buyers read it."""
        return self.profile.nome


def demo_dealers() -> tuple[DemoDealer, ...]:
    """Both dealers, by id."""
    read = tomllib.loads((_FOLDER / "dealers.toml").read_text(encoding="utf-8"))
    return tuple(
        DemoDealer(
            empresa_id=row["empresa_id"],
            profile=Profile(
                nome=row["nome"],
                endereco=row["endereco"],
                telefone=row["telefone"],
                horario=row["horario"],
            ),
            gateway=row["gateway"],
            channel=row["channel"],
            stock=_FOLDER / row["stock"],
        )
        for row in read["dealer"]
    )
