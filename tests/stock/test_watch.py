"""Watching a file, a folder or an address: every change once, never half a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schema.errors import HelixError, TenantUnavailable, UnknownEmpresa
from worker.stock.address import Address, NotNow, Seen
from worker.stock.files import StockFile
from worker.stock.reading import BadFile
from worker.stock.values import Outcome
from worker.stock.watch import Disk, Source, Watch, Web


class _Looks:
    """What a watch gave to the import and to the log."""

    def __init__(self) -> None:
        self.taken: list[StockFile] = []
        self.notes: list[str] = []
        self.error: HelixError | None = None

    async def take(self, file: StockFile) -> Outcome:
        """As the import does."""
        if self.error is not None:
            raise self.error
        self.taken.append(file)
        return Outcome(origin=file.name, stored=True)

    async def note(self, origin: str, why: str) -> None:
        """As the log does."""
        self.notes.append(why)


def _watch(looks: _Looks, source: Source) -> Watch:
    return Watch(source=source, every_s=300, take=looks.take, note_failed=looks.note)


def _write(path: Path, text: str, at: int) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


async def test_a_file_is_taken_once_it_stands_still_and_once_only(tmp_path: Path) -> None:
    """Still being written at one look and the next, it waits; changed again, it is taken again."""
    path, looks = tmp_path / "estoque.csv", _Looks()
    watch = _watch(looks, Disk(path))
    await watch.look()
    _write(path, "Marca;", 100)
    await watch.look()
    _write(path, "Marca;Modelo", 101)
    await watch.look()
    assert looks.taken == []
    for _ in range(3):
        await watch.look()
    assert [file.data for file in looks.taken] == [b"Marca;Modelo"]
    _write(path, "Marca;Modelo2", 102)
    for _ in range(3):
        await watch.look()
    assert [file.data for file in looks.taken] == [b"Marca;Modelo", b"Marca;Modelo2"]


async def test_of_a_folder_the_newest_stock_file_counts(tmp_path: Path) -> None:
    """Not what Excel and browsers put beside it, nor last month's."""
    _write(tmp_path / "outubro.csv", "velho", 100)
    _write(tmp_path / "novembro.xlsx", "novo", 200)
    for name in ("~$novembro.xlsx", ".novembro.csv", "dezembro.xlsx.part", "leia.pdf"):
        _write(tmp_path / name, "nada", 300)
    looks = _Looks()
    watch = _watch(looks, Disk(tmp_path))
    for _ in range(3):
        await watch.look()
    assert [file.name for file in looks.taken] == ["novembro.xlsx"]


async def test_a_database_that_is_away_gets_the_file_later(tmp_path: Path) -> None:
    """The file is not held for done; what no waiting mends ends the watch."""
    _write(tmp_path / "a.csv", "x", 100)
    looks = _Looks()
    looks.error = TenantUnavailable(7)
    watch = _watch(looks, Disk(tmp_path))
    await watch.look()
    assert await watch.look() == 60
    looks.error = None
    assert await watch.look() == 300
    assert len(looks.taken) == 1
    looks.error = UnknownEmpresa(7)
    _write(tmp_path / "a.csv", "xy", 101)
    await watch.look()
    with pytest.raises(UnknownEmpresa):
        await watch.look()


@pytest.mark.parametrize(("error", "wait_s"), [(NotNow("fora do ar"), 60), (BadFile("404"), 300)])
async def test_an_address_that_fails_is_noted_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception, wait_s: float
) -> None:
    """Nothing is imported; soon when it may pass, at the usual time when a person must act."""
    looks = _Looks()
    said: list[Seen] = []

    async def fetch(self: Address, seen: Seen) -> tuple[StockFile, Seen]:
        said.append(seen)
        if len(said) == 1:
            raise error
        return StockFile(name="a", data=b"x"), Seen(etag="1")

    monkeypatch.setattr(Address, "fetch", fetch)
    watch = _watch(looks, Web(Address(url="https://u:p@loja.example/estoque.csv?key=k")))
    assert await watch.look() == wait_s
    assert looks.notes == [str(error)]
    await watch.look()
    await watch.look()
    assert [seen.etag for seen in said] == [None, None, "1"]
    assert looks.taken[0].name == "https://loja.example/estoque.csv"
