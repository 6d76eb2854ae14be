"""Rooms import one way: schema <- tenancy <- bot <- worker and schema <- gateway <- worker."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]

_MAY_IMPORT = {
    "schema": set[str](),
    "tenancy": {"schema"},
    "gateway": {"schema"},
    "bot": {"schema", "tenancy"},
    "worker": {"schema", "tenancy", "gateway", "bot"},
}
_OURS = {*_MAY_IMPORT, "dev", "bench", "tests"}


def _imported(source: str, package: list[str]) -> Iterator[str]:
    """The full names of all modules that the source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*above, *([node.module] if node.module else [])])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))


def _against_the_arrow(room: str, source: str, package: list[str]) -> set[str]:
    rooms = {name.split(".")[0] for name in _imported(source, package)}
    return (rooms & _OURS) - _MAY_IMPORT[room] - {room}


@pytest.mark.parametrize("room", _MAY_IMPORT)
def test_no_room_imports_against_the_arrow(room: str) -> None:
    """A room can be understood, tested and replaced without those that stand on it."""
    modules = sorted((_ROOT / room).rglob("*.py"))
    assert modules
    wrong = {
        str(module.relative_to(_ROOT)): found
        for module in modules
        if (
            found := _against_the_arrow(
                room, module.read_text(), list(module.relative_to(_ROOT).parent.parts)
            )
        )
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("schema", "import tenancy.pools"),
        ("tenancy", "def f():\n    from worker import cli"),
        ("gateway", "from bot.values import Turn"),
        ("bot", "if TYPE_CHECKING:\n    import gateway as g"),
        ("worker", "import importlib\nimportlib.import_module('dev.servers')"),
        ("worker", "from tests.conftest import redis"),
    ],
)
def test_an_import_against_the_arrow_is_seen(room: str, source: str) -> None:
    """Also inside functions, behind another name, and for type checkers only."""
    assert _against_the_arrow(room, source, [room]) != set()


def test_imports_of_the_own_room_and_along_the_arrow_are_free() -> None:
    """Relative ones too."""
    source = "from . import pools\nfrom .pools import x\nfrom schema import errors\nimport asyncio"
    assert _against_the_arrow("tenancy", source, ["tenancy"]) == set()
