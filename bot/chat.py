"""Talks with Lucas about a real dealer's cars: python -m bot.chat --empresa 5 --explain.

A dry talk for people who look after him: the dealer's name, hours, settings and stock come from his
database (read once), agenda and memory stay in this process, nothing is stored and nothing sent.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bot.dealer_rows import dealer_of, read_cars, read_settings
from bot.evaluate import Catalog, load_catalog
from bot.explain import explained, stored_form
from bot.lucas import decide
from bot.state import load
from bot.stock import Stock
from bot.values import AgendaAction, Appointment, Decision, Incoming, Turn
from schema.errors import HelixError, UnknownEmpresa
from schema.events import EventKind
from tenancy.settings import TenancySettings
from tenancy.start import open_tenancy

_ZONE = ZoneInfo("America/Sao_Paulo")
_HELP = "/novo começa outra conversa, /sair termina; [audio] e [imagem] são mensagens sem texto."
_WORDLESS = {"[audio]": EventKind.AUDIO, "[imagem]": EventKind.IMAGE}


class NoDealer(Exception):
    """There is nobody to talk about; the message says why, for whoever typed the command."""


@dataclass(slots=True)
class DryTalk:
    """A conversation whose memory and agenda are kept here."""

    dealer: Catalog
    loaded_us: int
    state: dict[str, Any] = field(default_factory=dict)
    status: str = "novo"
    appointment: Appointment | None = None

    def say(self, line: str, *, now: datetime) -> tuple[Decision, dict[str, Any]]:
        """One turn, and why, as a row of it would say."""
        kind = _WORDLESS.get(line)
        message = Incoming(kind=kind or EventKind.TEXT, text=None if kind else line)
        turn = Turn(
            messages=(message,),
            state=self.state,
            status=self.status,
            appointment=self.appointment,
        )
        began = time.perf_counter_ns()
        decision = decide(turn, stock=self.dealer.stock, dealer=self.dealer.dealer, now=now)
        took_us = (time.perf_counter_ns() - began) // 1000
        self.state, self.status = decision.state, decision.status
        self._follow_agenda(decision)
        return decision, stored_form(decision, decided_us=took_us, loaded_us=self.loaded_us)

    def _follow_agenda(self, decision: Decision) -> None:
        change = decision.agenda
        if change is None:
            return
        cancelled = change.action is AgendaAction.CANCEL
        confirmed = change.action is AgendaAction.CONFIRM
        booked = replace(change.appointment, id=1, confirmed=confirmed)
        self.appointment = None if cancelled else booked


async def _of_empresa(empresa_id: int) -> Catalog:
    """The dealer as he stands in the databases. Raises NoDealer."""
    try:
        settings = TenancySettings()
    except ValidationError as error:
        names = ", ".join(str(problem["loc"][0]).upper() for problem in error.errors())
        raise NoDealer(
            f"settings are missing or wrong: {names} (.env.example names them)"
        ) from None
    try:
        async with open_tenancy(settings) as tenancy:
            tenant = await tenancy.registry.tenant(empresa_id)
            async with tenancy.pools.connection(empresa_id) as conn:
                cars, profile = await read_cars(conn), await read_settings(conn)
    except UnknownEmpresa:
        raise NoDealer(
            f"there is no empresa {empresa_id}: `helix empresa list` shows all"
        ) from None
    except HelixError as error:
        raise NoDealer(f"empresa {empresa_id} cannot be read: {error}") from error
    return Catalog(dealer_of(tenant, profile), Stock.build(cars))


def _of_file(path: Path) -> Catalog:
    try:
        return load_catalog(path)
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise NoDealer(f"{path} is no catalogue: {type(error).__name__}: {error}") from None


def _opened(empresa_id: int | None, catalog: Path | None) -> DryTalk:
    """With both, the dealer is the empresa and the cars are those of the file."""
    began = time.perf_counter_ns()
    found = None if empresa_id is None else asyncio.run(_of_empresa(empresa_id))
    if catalog is not None:
        listed = _of_file(catalog)
        found = listed if found is None else Catalog(found.dealer, listed.stock)
    if found is None:
        raise NoDealer("whose Lucas? Give --empresa or --catalog")
    return DryTalk(dealer=found, loaded_us=(time.perf_counter_ns() - began) // 1000)


def _lines() -> Iterator[str]:
    """What is typed, or comes through a pipe, until it ends."""
    while True:
        try:
            line = input("você> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            return
        if line.strip() == "/sair":
            return
        if line.strip():
            yield line.strip()


def _answered(talk: DryTalk, line: str, *, explain: bool) -> Iterator[str]:
    zone = talk.dealer.dealer.profile.zone(_ZONE)
    decision, why = talk.say(line, now=datetime.now(zone))
    agent = talk.dealer.dealer.profile.nome_agente
    for bubble in decision.bubbles:
        media = f"[{bubble.kind}] {bubble.media_url} " if bubble.media_url else ""
        yield f"{agent}> {media}{bubble.text or ''}".rstrip()
    if not decision.bubbles:
        yield f"({agent} fica em silêncio: {decision.rule})"
    if explain:
        wish = load(decision.state).filters
        told = [*explained(why, talk.dealer.stock, wish), f"status: {decision.status}"]
        yield from (f"      {line}" for line in told)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 2 nobody to talk about."""
    parser = argparse.ArgumentParser(prog="python -m bot.chat", description=__doc__)
    parser.add_argument("--empresa", type=int, help="whose Lucas, by the settings of `helix`")
    parser.add_argument("--catalog", type=Path, help="cars of a file, as `bot.evaluate` reads them")
    parser.add_argument("--explain", action="store_true", help="the reason beside each answer")
    told = parser.parse_args(arguments)
    try:
        talk = _opened(told.empresa, told.catalog)
    except NoDealer as error:
        sys.stderr.write(f"bot.chat: {error}\n")
        return 2
    store, cars = talk.dealer.dealer.nome, len(talk.dealer.stock.offered)
    sys.stdout.write(f"{store}, {cars} carros à venda; nada é gravado. {_HELP}\n")
    for line in _lines():
        if line == "/novo":
            talk = DryTalk(dealer=talk.dealer, loaded_us=talk.loaded_us)
            continue
        for told_line in _answered(talk, line, explain=told.explain):
            sys.stdout.write(told_line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
