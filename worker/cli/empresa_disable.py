"""`helix empresa disable` and `enable`: takes a dealer out of service, and back."""

from __future__ import annotations

from tenancy.central import central_target
from tenancy.direct import direct
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.faults import CentralFaults
from tenancy.settings import TenancySettings
from tenancy.target import Limits
from worker.cli.empresa_pause import EmpresaId, pause_facts
from worker.cli.output import Json, print_facts, run
from worker.cli.tell import tell


def disable(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Take a dealer out of service: his database is not used at all. Nothing is dropped.

    What comes waits on his inbox until it is full. Safe to repeat.
    """
    print_facts(run(_change(empresa_id, enabled=False)), as_json=as_json)


def enable(empresa_id: EmpresaId, as_json: Json = False) -> None:
    """Serve a disabled dealer again; whom a person had paused is paused still. Safe to repeat."""
    print_facts(run(_change(empresa_id, enabled=True)), as_json=as_json)


async def _change(empresa_id: int, *, enabled: bool) -> dict[str, object]:
    settings = TenancySettings()
    async with direct(central_target(settings), Limits.of(settings), CentralFaults()) as conn:
        empresas = Empresas(conn)
        row = await (empresas.enable(empresa_id) if enabled else empresas.disable(empresa_id))
    await tell(row.id, row.versao)
    return _facts(row)


def _facts(row: EmpresaRow) -> dict[str, object]:
    return {"id": row.id, "nome": row.nome, "status": row.status, **pause_facts(row)}
