"""How a talk looks in a terminal: bubbles, tables, notes. Used by the chat and the demo.

Makes rich renderables and prints nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich import box
from rich.align import Align
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.values import Car
from bot.wording import whole
from dev.chat.rows import MessageRow
from dev.chat.trace import Step

_BUYER, _LUCAS, _QUIET = "green", "cyan", "bright_black"
_STATUS = {"available": "à venda", "reserved": "reservado", "sold": "vendido"}
_STATUS_STYLE = {"available": "green", "reserved": "yellow", "sold": "red"}

COMMANDS = (
    ("/porque", "mostra ou esconde o motivo de cada resposta"),
    ("/trace", "o que aconteceu no caminho da última mensagem"),
    ("/loja", "troca de loja (ou /loja 6)"),
    ("/carros", "o estoque desta loja, como está no banco"),
    ("/novo", "outro comprador: a conversa começa do zero"),
    ("/ajuda", "esta lista"),
    ("/sair", "termina (ou Ctrl-D)"),
)


def buyer_bubble(text: str, *, shop: str, note: str = "") -> RenderableType:
    """What the buyer wrote: on the right, as on the phone that he holds."""
    return Align.right(
        Panel(
            Text(text, overflow="fold"),
            title=Text(f"você → {shop}", style=_BUYER),
            title_align="right",
            subtitle=Text(note, style=_QUIET) if note else None,
            subtitle_align="right",
            border_style=_BUYER,
            box=box.ROUNDED,
            expand=False,
            width=_width(text, least=max(len(shop) + 9, len(note) + 2)),
        )
    )


def lucas_bubble(
    text: str | None, media: str | None, *, shop: str, after_s: float | None
) -> RenderableType:
    """What reached the buyer's phone, and how long after his last message."""
    parts: list[Text] = []
    if media:
        parts.append(Text.assemble(("foto  ", "bold"), (media, "blue underline")))
    if text:
        parts.append(Text(text, overflow="fold"))
    shown = "\n".join(part.plain for part in parts)
    return Panel(
        Group(*parts),
        title=Text(f"Lucas · {shop}", style=_LUCAS),
        title_align="left",
        subtitle=None if after_s is None else Text(seconds(after_s), style=_QUIET),
        subtitle_align="left",
        border_style=_LUCAS,
        box=box.ROUNDED,
        expand=False,
        width=_width(shown, least=len(shop) + 10),
    )


def note(text: str) -> RenderableType:
    """A word of the chat itself."""
    return Text(text, style=_QUIET)


def waiting(left_s: float) -> str:
    """The quiet window."""
    return f"Lucas espera mais mensagens… {seconds(left_s)}"


def trace_table(steps: Sequence[Step]) -> RenderableType:
    """The way of a turn; the times are since its first step, and since the step before."""
    table = _table(("ms", "right"), ("+ms", "right"), ("o que aconteceu", "left"), ("", "left"))
    before = steps[0].at
    for step in steps:
        table.add_row(
            _ms(step.at - steps[0].at), _ms(step.at - before), Text(step.what, style="bold"),
            Text(step.detail),
        )  # fmt: skip
        before = step.at
    return table


def cars_table(cars: Sequence[Car], *, shop: str) -> RenderableType:
    """The stock, newest first."""
    table = _table(
        ("id", "right"), ("carro", "left"), ("ano", "left"), ("km", "right"), ("cor", "left"),
        ("câmbio", "left"), ("R$", "right"), ("fotos", "right"), ("situação", "left"),
        title=f"Estoque da {shop}: {len(cars)} carros",
    )  # fmt: skip
    for car in cars:
        table.add_row(
            str(car.id),
            f"{car.marca} {car.modelo}",
            f"{car.ano or '?'}/{car.ano_modelo or '?'}",
            "-" if car.km is None else whole(car.km),
            car.cor or "-",
            car.cambio or "-",
            whole(int(car.preco)),
            str(len(car.fotos)),
            Text(_STATUS.get(car.status, car.status), style=_STATUS_STYLE.get(car.status, "")),
        )
    return table


def help_table() -> RenderableType:
    """The commands; everything else is a message to Lucas."""
    table = _table(("comando", "left"), ("", "left"))
    for name, meaning in COMMANDS:
        table.add_row(Text(name, style="bold"), meaning)
    return Group(table, note("Todo o resto vai como mensagem do comprador para o Lucas."))


def silence(turn: Sequence[MessageRow]) -> RenderableType:
    """A turn without an answer: why Lucas kept quiet."""
    decision = next((row.decision for row in turn if row.decision), {})
    why = decision.get("why") or decision.get("rule") or "sem resposta"
    return note(f"Lucas ficou em silêncio ({why}).")


def figures(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1
) -> RenderableType:
    """A table of numbers whose first `words` columns are text."""
    columns = [(head, "left" if place < words else "right") for place, head in enumerate(heads)]
    table = _table(*columns, title=title)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return Padding(table, (1, 0, 0, 0))


def seconds(amount: float) -> str:
    """1,2 s."""
    return f"{amount:.1f} s".replace(".", ",")


def _table(*columns: tuple[str, str], title: str | None = None) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold",
        pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name, side in columns:
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    return table


def _ms(amount: timedelta) -> str:
    return f"{amount.total_seconds() * 1000:,.0f}".replace(",", ".")


def _width(text: str, *, least: int) -> int:
    longest = max((len(line) for line in text.splitlines()), default=0)
    return max(min(longest, 72), least) + 4


def reasons(lines: Sequence[str]) -> RenderableType:
    """Why Lucas answered so, quietly below his answer."""
    return Padding(Text("\n".join(lines), style=_QUIET), (0, 0, 0, 4))
