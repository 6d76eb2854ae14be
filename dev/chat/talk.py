"""The talk in a terminal, from choosing the dealer to the end. Started by chat and demo."""

from __future__ import annotations

from collections.abc import Sequence

from dev.chat import view
from dev.chat.chat import Chat
from dev.chat.installation import Installation
from dev.chat.screen import Screen
from dev.chat.start import BROKEN_OFF, OK, run
from dev.dealers import DemoDealer


def talk(
    dealers: Sequence[DemoDealer],
    screen: Screen,
    *,
    empresa_id: int | None = None,
    explain: bool = False,
) -> tuple[int, str]:
    """The exit code and what failed. Without `empresa_id` the person at the terminal chooses.

    `explain`: Lucas's reasons stand beside his answers.
    """

    async def work(installation: Installation) -> None:
        chosen = empresa_id or await _choose(dealers, screen)
        if chosen is None:
            return
        screen.show(view.help_table())
        await Chat(installation, screen, empresa_id=chosen, explain=explain).run()

    code, why = run(dealers, screen, work)
    if code == BROKEN_OFF and screen.live:
        code = OK  # Ctrl-C is how a person leaves
    if code == OK:
        screen.show(view.note("Até logo. Tudo o que foi iniciado aqui está parado."))
    else:
        screen.show(view.note(f"chat: {why}"))
    return code, why


async def _choose(dealers: Sequence[DemoDealer], screen: Screen) -> int | None:
    known = {str(dealer.empresa_id): dealer for dealer in dealers}
    while True:
        for number, dealer in known.items():
            screen.show(f"  {number}  {dealer.nome} ({dealer.profile.endereco}), {dealer.gateway}")
        answer = await screen.ask("Com qual loja você quer falar?", default=next(iter(known)))
        if answer is None:
            return None
        if answer in known:
            return known[answer].empresa_id
