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
from worker.cli.stock_files import read_stock
from worker.cli.stock_store import Imported, store


async def provide_database(settings: TenancySettings, dealer: DemoDealer) -> None:
    """As `helix empresa create` does."""
    await Provisioner(settings).create(dealer.empresa_id, dealer.profile)


async def provide_cars(tenancy: Tenancy, dealer: DemoDealer) -> Imported:
    """As `helix stock import` does. Raises ValueError when the file is no stock file."""
    reading = read_stock(dealer.stock)
    if reading.problems:
        first = reading.problems[0]
        raise ValueError(f"{dealer.stock.name}, car {first.line}: {first.text}")
    async with tenancy.pools.transaction(dealer.empresa_id) as conn:
        return await store(conn, reading.cars)


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
