"""`helix empresa canary`: who is migrated before all others."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.cli.output import Json, print_facts, run


class Switch(StrEnum):
    """As a person says it."""

    ON = "on"
    OFF = "off"


def canary(
    empresa_id: Annotated[int, typer.Argument(min=1)],
    switch: Annotated[Switch, typer.Argument(help="on: migrated before all others.")],
    as_json: Json = False,
) -> None:
    """Have a dealer migrated before all others, or no longer. Safe to repeat."""
    row = run(_set(empresa_id, switch is Switch.ON))
    print_facts({"id": row.id, "nome": row.nome, "canary": row.canary}, as_json=as_json)


async def _set(empresa_id: int, on: bool) -> EmpresaRow:
    settings = TenancySettings()
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        return await Empresas(conn).set_canary(empresa_id, on)
