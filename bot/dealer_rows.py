"""Reads from a dealer's database what Lucas needs of him: cars, photos, settings.

Called by `worker` (who keeps it for a while) and by `bot.chat`. Nothing in a decision reads here.
"""

from __future__ import annotations

import structlog

from bot.profile import Profile, read_profile
from bot.values import Car, Dealer
from tenancy.lease import TenantConnection
from tenancy.registry import TenantConfig

_CARS = """
    SELECT id, brand, model, year, year_model, price, mileage, color, fuel_type, transmission,
           description, status
      FROM cars ORDER BY created_at DESC, id DESC
"""
_PHOTOS = """
    SELECT car_id, url FROM car_images WHERE url IS NOT NULL
     ORDER BY car_id, is_principal DESC, ordem, id
"""
_SETTINGS = "SELECT nome, valor FROM lucas_ajustes"

log = structlog.get_logger()


async def read_settings(conn: TenantConnection) -> Profile:
    """The dealer's own settings; what cannot be read is logged and its default holds."""
    rows = dict(await conn.fetch_all(_SETTINGS))
    profile, bad = read_profile(rows)
    if bad:
        log.warning("settings of Lucas not understood", empresa_id=conn.empresa_id, names=bad)
    return profile


async def read_cars(conn: TenantConnection) -> list[Car]:
    """All cars, sold ones too (Lucas must know that they are gone), newest first, with photos."""
    photos: dict[int, list[str]] = {}
    for car_id, url in await conn.fetch_all(_PHOTOS):
        photos.setdefault(car_id, []).append(url)
    return [
        Car(
            id=row[0],
            marca=row[1] or "",
            modelo=row[2] or "",
            ano=row[3],
            ano_modelo=row[4],
            preco=row[5],
            km=row[6],
            cor=row[7],
            combustivel=row[8],
            cambio=row[9],
            descricao=row[10],
            status=row[11] or "available",
            fotos=tuple(photos.get(row[0], ())),
        )
        for row in await conn.fetch_all(_CARS)
        if row[5] is not None  # a car without a price cannot be offered
    ]


def dealer_of(tenant: TenantConfig, profile: Profile) -> Dealer:
    """What Lucas may say about the store, with its settings."""
    return Dealer(
        nome=tenant.nome,
        endereco=tenant.endereco,
        telefone=tenant.telefone,
        horario=tenant.horario,
        profile=profile,
    )
