"""What the commands of a dealer's life share: the tools, a plan, a confirmation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from schema.errors import NotConfirmed
from tenancy.life.certificate import Elsewhere
from tenancy.life.settings import BackupSettings
from tenancy.life.store import BackupStore
from tenancy.life.tools import Tools, open_tools
from tenancy.settings import TenancySettings
from worker.cli.output import note
from worker.cli.tell import client
from worker.life.at_work import AtWork

EmpresaId = Annotated[int, typer.Argument(min=1)]
Plan = Annotated[bool, typer.Option("--plan", help="Say what would be done, and do nothing.")]
Confirm = Annotated[str | None, typer.Option(help="The dealer's name, as `show` prints it.")]
Patience = Annotated[
    float, typer.Option(min=1, help="How long to wait for what is being done for the dealer.")
]


@asynccontextmanager
async def at_hand(patience_s: float = 60.0) -> AsyncIterator[Tools]:
    """As the settings say."""
    store = BackupStore(BackupSettings())
    async with (
        client() as redis,
        open_tools(
            TenancySettings(), AtWork(redis), store, report=note, patience_s=patience_s
        ) as tools,
    ):
        yield tools


@asynccontextmanager
async def elsewhere_at_hand() -> AsyncIterator[Elsewhere]:
    """Redis and the media store, for a deletion."""
    # Here, for it knows nearly all rooms, and the other commands need none of them.
    from worker.life.forget import Forget
    from worker.media.settings import MediaSettings
    from worker.media.store import open_store

    async with client() as redis:
        yield Forget(redis, open_store(MediaSettings()))


async def confirmed(tools: Tools, empresa_id: int, name: str | None) -> None:
    """Raises NotConfirmed unless a person typed the dealer's name."""
    row = await tools.row(empresa_id)
    if name != row.nome:
        raise NotConfirmed(empresa_id, row.nome)
