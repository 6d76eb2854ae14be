"""Gives a demo dealer its database, cars and WhatsApp number, by the product's own code.

Called by `dev.chat.installation`. Safe to repeat: what is there stays, the cars are as in the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from dev.dealers import DemoDealer
from schema.channels import Channel
from tenancy.channels import add_channel
from tenancy.provision import Provisioner
from tenancy.settings import TenancySettings
from tenancy.start import Tenancy
from worker.stock.files import read_file
from worker.stock.run import import_stock
from worker.stock.values import Options, Outcome


async def provide_database(settings: TenancySettings, dealer: DemoDealer) -> None:
    """As `helix empresa create` does."""
    await Provisioner(settings).create(dealer.empresa_id, dealer.profile)


async def provide_cars(tenancy: Tenancy, dealer: DemoDealer) -> Outcome:
    """As `helix stock import` does. Raises ValueError when the file is refused."""
    file = read_file(dealer.stock)
    outcome = await import_stock(tenancy, dealer.empresa_id, file, Options())
    if outcome.why_not is not None:
        raise ValueError(f"{file.name}: {outcome.why_not}")
    return outcome


async def provide_channel(
    tenancy: Tenancy, dealer: DemoDealer, credentials: Mapping[str, str]
) -> Channel:
    """As `helix channel add` does."""
    async with tenancy.central.transaction() as conn:
        return await add_channel(
            conn,
            tenancy.keyring,
            empresa_id=dealer.empresa_id,
            gateway=dealer.gateway,
            identifier=dealer.channel,
            credentials=credentials,
        )
