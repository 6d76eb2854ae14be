"""`python -m dev.chat`: write as a buyer, see what Lucas answers. What `make chat` calls."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from dev.chat.phones import GATEWAYS
from dev.chat.screen import Plain, Terminal, has_terminal
from dev.chat.talk import talk
from dev.dealers import demo_dealers


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 1 failed, 130 broken off."""
    dealers = demo_dealers()
    parser = argparse.ArgumentParser(prog="python -m dev.chat", description=__doc__)
    ids = [dealer.empresa_id for dealer in dealers]
    parser.add_argument("--empresa", type=int, choices=ids, help="the dealer (default: asks)")
    parser.add_argument("--gateway", choices=GATEWAYS, help="instead of the dealer's own")
    parser.add_argument("--explain", action="store_true", help="the reason beside each answer")
    told = parser.parse_args(arguments)
    if told.gateway is not None:
        dealers = tuple(replace(dealer, gateway=told.gateway) for dealer in dealers)
    screen = Terminal() if has_terminal() else Plain()
    code, _ = talk(dealers, screen, empresa_id=told.empresa, explain=told.explain)
    return code


if __name__ == "__main__":
    sys.exit(main())
