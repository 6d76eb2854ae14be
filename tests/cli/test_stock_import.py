"""`helix stock import`: cars from a file into a dealer's database."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from tenancy.names import database_of
from tests.cli.helix import helix
from tests.tenancy.installation import Installation

CSV = """\
Marca;Modelo;Ano;Preço;KM;Cor;Câmbio;Situação;Fotos
Fiat;Argo Drive;2021/2022;R$ 68.900,00;41.000;Vermelho;Manual;disponível;https://f.example/1.jpg https://f.example/2.jpg
Honda;City;2020;89900,5;50000;Prata;Automático;vendido;
Honda;City;2020;89900,5;50000;Prata;Automático;vendido;
"""
SQL = r"""
-- MariaDB dump
/*!40101 SET NAMES utf8mb4 */;
LOCK TABLES `cars` WRITE;
INSERT INTO `cars` (`id`, `brand`, `model`, `price`, `description`) VALUES
  (3, 'Jeep', 'Renegade', 99900.00, 'Único dono; \'impecável\''),
  (4, 'VW', 'Gol', NULL, 'it''s; ok');
INSERT INTO car_images (id, car_id, url, ordem, is_principal) VALUES
  (1, 3, 'https://f.example/b.jpg', 0, 0), (2, 3, 'https://f.example/a.jpg', 5, 1);
UNLOCK TABLES;
"""


async def _import(installation: Installation, path: Path) -> tuple[int, str, str]:
    ran = await helix(
        *("stock", "import", str(path), "--empresa", str(installation.empresa_id()), "--json"),
        env=installation.environment(),
    )
    return ran.code, ran.out, ran.err


async def _cars(installation: Installation, columns: str) -> list[tuple[object, ...]]:
    database = database_of(installation.empresa_id())
    query = f"SELECT {columns} FROM cars ORDER BY id"  # noqa: S608 - the tests' own columns
    return await installation.sql(query, database=database)


async def test_a_brazilian_sheet_is_read_as_meant(
    installation: Installation, tmp_path: Path
) -> None:
    """Headings, prices and words as a dealer's Excel writes them; twice is once."""
    await installation.create()
    path = tmp_path / "estoque.csv"
    path.write_bytes(CSV.encode("cp1252"))

    first = await _import(installation, path)
    second = await _import(installation, path)

    assert first[0] == 0, first[2]
    assert json.loads(first[1]) == {
        "empresa": installation.empresa_id(),
        "added": 3,
        "changed": 0,
        "photos": 2,
    }
    assert json.loads(second[1])["added"] == 0
    assert await _cars(installation, "brand, year, year_model, price, mileage, status") == [
        ("Fiat", 2021, 2022, Decimal("68900.00"), 41000, "available"),
        ("Honda", 2020, None, Decimal("89900.50"), 50000, "sold"),
        ("Honda", 2020, None, Decimal("89900.50"), 50000, "sold"),
    ]


async def test_one_bad_line_stops_all_and_is_named(
    installation: Installation, tmp_path: Path
) -> None:
    """Each bad line is reported by its number, and no line is stored."""
    await installation.create()
    path = tmp_path / "estoque.csv"
    path.write_text(
        "id,brand,model,price\n1,Fiat,Uno,barato\n2,Fiat,Mobi,50000\n3,,,1\n0,a,b,1,9\n"
    )

    code, out, err = await _import(installation, path)

    assert (code, out) == (1, "")
    assert "line 2: price" in err
    assert "barato" in err
    assert "line 3" not in err
    assert "line 5: 5 cells" in err
    assert await _cars(installation, "id") == []


async def test_an_id_changes_its_car_and_leaves_what_the_file_does_not_say(
    installation: Installation, tmp_path: Path
) -> None:
    """A price list needs only ids and prices."""
    await installation.create()
    full = tmp_path / "full.json"
    full.write_text(
        json.dumps({"cars": [{"id": 9, "brand": "Fiat", "model": "Uno", "price": 30000.0,
                              "images": ["https://f.example/1.jpg"]}]})
    )  # fmt: skip
    prices = tmp_path / "prices.csv"
    prices.write_text("id,price\n9,28500\n")
    await _import(installation, full)

    code, _, err = await _import(installation, prices)

    assert code == 0, err
    assert await _cars(installation, "id, model, price") == [(9, "Uno", Decimal("28500.00"))]
    database = database_of(installation.empresa_id())
    assert await installation.sql("SELECT url FROM car_images", database=database) == [
        ("https://f.example/1.jpg",)
    ]


async def test_a_dump_is_read_and_not_run(installation: Installation, tmp_path: Path) -> None:
    """INSERTs into the two tables are understood, quotes and all; the main photo comes first."""
    await installation.create()
    path = tmp_path / "dump.sql"
    path.write_text(SQL)

    code, _, err = await _import(installation, path)

    assert code == 0, err
    assert await _cars(installation, "id, price, description") == [
        (3, Decimal("99900.00"), "Único dono; 'impecável'"),
        (4, None, "it's; ok"),
    ]
    photos = "SELECT url, is_principal FROM car_images ORDER BY ordem"
    assert await installation.sql(photos, database=database_of(installation.empresa_id())) == [
        ("https://f.example/a.jpg", 1),
        ("https://f.example/b.jpg", 0),
    ]


async def test_other_statements_are_refused(installation: Installation, tmp_path: Path) -> None:
    """What is no INSERT of cars is neither run nor passed over in silence."""
    await installation.create()
    path = tmp_path / "evil.sql"
    path.write_text(
        "INSERT INTO cars (brand, model) VALUES ('a', 'b');\nUPDATE cars SET price = 1;"
    )

    code, _, err = await _import(installation, path)

    assert code == 1
    assert "line 2: UPDATE" in err
    assert await _cars(installation, "id") == []
