"""`helix lgpd retention`: how long one dealer's data is kept. Registered by `worker.cli.lgpd`."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.dead_options import open_desk
from worker.cli.output import Json, print_facts, run
from worker.lgpd.settings import PrivacySettings
from worker.lgpd.terms import NAMES, Terms, set_terms, terms_of

_DEFAULT = "default"
_LONGEST = 36_500
Days = Annotated[str | None, typer.Option(help="Days, 0 for without end, or `default`.")]


def retention(
    empresa: Annotated[int, typer.Option(min=1, help="Whose data.")],
    messages_days: Days = None,
    media_days: Days = None,
    dead_letters_days: Days = None,
    decisions_days: Days = None,
    count_visits: Annotated[
        str | None, typer.Option(help="Of the erased, count appointments: yes, no, or `default`.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how long a dealer's data is kept, or change it. It is erased in the night after."""
    given = (count_visits, messages_days, media_days, dead_letters_days, decisions_days)
    changes = {
        name: _read(name, text) for name, text in zip(NAMES, given, strict=True) if text is not None
    }
    terms = run(_change(empresa, changes))
    facts = {
        name: {"holds": getattr(terms, name), "own": terms.own[name] is not None} for name in NAMES
    }
    if as_json:
        print_facts({"empresa": empresa, **facts}, as_json=True)
    else:
        told = {
            name: f"{fact['holds']}{'' if fact['own'] else ' (default)'}"
            for name, fact in facts.items()
        }
        print_facts(told, as_json=False)


def _read(name: str, text: str) -> int | None:
    if text == _DEFAULT:
        return None
    if name == "count_visits":
        if text not in ("yes", "no"):
            raise typer.BadParameter("--count-visits: yes, no, or default")
        return int(text == "yes")
    if not (text.isascii() and text.isdigit() and int(text) <= _LONGEST):
        raise typer.BadParameter(f"{name}: days from 0 to {_LONGEST}, or `default`")
    return int(text)


async def _change(empresa_id: int, changes: dict[str, int | None]) -> Terms:
    async with open_desk() as desk:
        await desk.tenancy.registry.tenant(empresa_id)
        central, defaults = desk.tenancy.central, PrivacySettings()
        terms = await terms_of(central, empresa_id, defaults)
        if changes:
            await set_terms(central, empresa_id, {**terms.own, **changes})
            terms = await terms_of(central, empresa_id, defaults)
        return terms
