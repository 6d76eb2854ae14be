"""`helix stock import`: cars from a file into a dealer's database."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from tenancy.empresas import Empresas
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


async def _import(installation: Installation, path: Path, *options: str) -> tuple[int, str, str]:
    ran = await helix(
        *("stock", "import", str(path), "--empresa", str(installation.empresa_id()), "--json"),
        *options,
        env=installation.environment(),
    )
    return ran.code, ran.out, ran.err


def _counts(out: str) -> dict[str, int]:
    told = json.loads(out)
    return {name: told[name] for name in ("added", "changed", "unchanged", "sold", "refused")}


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
    assert _counts(first[1]) == {"added": 3, "changed": 0, "unchanged": 0, "sold": 0, "refused": 0}
    assert json.loads(first[1])["photos"] == 2
    assert _counts(second[1]) == {"added": 0, "changed": 0, "unchanged": 3, "sold": 0, "refused": 0}
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
        "id,brand,model,price\n1,Fiat,Uno,barato\n2,Fiat,Mobi,50000\n3,VW,Up,40000\n0,a,b,1,9\n"
    )

    code, out, err = await _import(installation, path)

    assert code == 1
    assert "2 linha(s) precisam de conserto" in err
    refused = {
        line["line"]: line["reasons"]
        for line in json.loads(out)["lines"]
        if line["action"] == "refused"
    }
    assert refused.keys() == {2, 5}
    assert "preço: 'barato'" in refused[2][0]
    assert "tem 5 colunas" in refused[5][0]
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
    assert "Linha 2: UPDATE" in err
    assert await _cars(installation, "id") == []


async def test_a_plan_says_all_and_stores_nothing(
    installation: Installation, tmp_path: Path
) -> None:
    """For people a table in the dealer's words, with line numbers, old and new."""
    await installation.create()
    path = tmp_path / "estoque.csv"
    path.write_text("Código;Marca;Modelo;Preço\nA1;Fiat;Uno;30.000\nA2;Fiat;Mobi;50.000\n")
    await _import(installation, path)
    path.write_text("Código;Marca;Modelo;Preço\nA1;Fiat;Uno;28.500\nA3;VW;Up;caro\n")

    planned = await _import(installation, path, "--plan", "--full", "--partial")
    ran = await helix(
        *("stock", "import", str(path), "--empresa", str(installation.empresa_id())),
        *("--plan", "--full", "--partial"),
        env=installation.environment(),
    )
    logged = await helix(
        *("stock", "log", "--empresa", str(installation.empresa_id()), "--json"),
        env=installation.environment(),
    )

    assert (planned[0], ran.code) == (0, 0)
    assert _counts(planned[1]) == {
        "added": 0,
        "changed": 1,
        "unchanged": 0,
        "sold": 1,
        "refused": 1,
    }
    for text in (
        "R$ 30.000,00 -> R$ 28.500,00",
        "disponível -> vendido",
        "'caro' não é",
        "linha 3",
    ):
        assert text in ran.out
    assert await _cars(installation, "price, status") == [
        (Decimal("30000.00"), "available"),
        (Decimal("50000.00"), "available"),
    ]
    assert [(run["result"], run["added"]) for run in logged.json] == [("importado", 2)]


async def test_a_refused_file_is_in_the_log_with_its_reason(
    installation: Installation, tmp_path: Path
) -> None:
    """Whoever asks why the cars are old finds it."""
    await installation.create()
    path = tmp_path / "estoque.xls"
    path.write_bytes(b"%PDF-1.7")

    code, out, err = await _import(installation, path)
    logged = await helix(
        *("stock", "log", "--empresa", str(installation.empresa_id()), "--json"),
        env=installation.environment(),
    )

    assert (code, json.loads(out)["result"]) == (1, "refused")
    assert "É um PDF" in err
    assert [(run["origin"], run["result"]) for run in logged.json] == [("estoque.xls", "recusado")]
    assert "É um PDF" in logged.json[0]["why"]


async def test_options_that_contradict_each_other_are_wrong_usage(
    installation: Installation, tmp_path: Path
) -> None:
    """Before anything is opened."""
    path = tmp_path / "estoque.csv"
    for options in (
        ("--watch", "--plan"), ("--watch", "--confirm"), ("--every", "5"), ("--url", "https://x.example"),
    ):  # fmt: skip
        assert (await _import(installation, path, *options))[0] == 2


async def test_a_file_comes_from_an_address_with_a_key_from_stdin(
    installation: Installation,
) -> None:
    """The key reaches the server and stands in no output and no log; inner ones must be allowed."""
    await installation.create()
    keys: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization"))
        return web.json_response([{"marca": "Fiat", "modelo": "Uno", "valor": 30000}])

    app = web.Application()
    app.router.add_get("/estoque.json", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/estoque.json?token=s3cret"
    empresa = str(installation.empresa_id())
    command = ("stock", "import", "--url", url, "--empresa", empresa, "--json")
    try:
        refused = await helix(*command, env=installation.environment())
        ran = await helix(
            *command, "--allow-private", "--auth-stdin",
            env=installation.environment(), given="Bearer k3y\n",
        )  # fmt: skip
    finally:
        await runner.cleanup()
    logged = await helix(
        *("stock", "log", "--empresa", str(installation.empresa_id()), "--json"),
        env=installation.environment(),
    )

    assert (refused.code, ran.code) == (1, 0), ran.err
    assert keys == ["Bearer k3y"]
    assert _counts(ran.out)["added"] == 1
    assert [run["result"] for run in logged.json] == ["importado", "recusado"]
    for text in (ran.out, ran.err, refused.err, logged.out):
        assert "s3cret" not in text
        assert "k3y" not in text


async def test_a_paused_dealer_is_imported_and_a_held_or_disabled_one_is_not(
    installation: Installation, tmp_path: Path
) -> None:
    """A pause stops his buyers' work alone. What a move's copy would leave behind is for later (3);
    a disabled dealer's database is not opened (1). Both say what to do."""
    row = await installation.create()
    path = tmp_path / "estoque.csv"
    path.write_text("Marca;Modelo;Preço\nFiat;Uno;30000\n")
    async with installation.tenancy() as tenancy, tenancy.central.connection() as conn:
        await Empresas(conn).pause(row.id, "férias")
    paused = await _import(installation, path)
    await installation.central(
        "INSERT INTO operacoes_empresa (empresa_id, tipo, segura, pedido, iniciada_em)"
        " VALUES (%s, 'move', 1, '{}', UTC_TIMESTAMP(3))",
        (row.id,),
    )
    path.write_text("Marca;Modelo;Preço\nFiat;Mobi;40000\n")
    held = await _import(installation, path)
    await installation.central("UPDATE operacoes_empresa SET estado = 'feita', segura = 0")
    async with installation.tenancy() as tenancy, tenancy.central.connection() as conn:
        await Empresas(conn).disable(row.id)
    disabled = await _import(installation, path)

    assert (paused[0], held[0], disabled[0]) == (0, 3, 1), held[2]
    assert f"a move of empresa {row.id} is under way" in held[2]
    assert f"helix empresa enable {row.id}" in disabled[2]
    assert await _cars(installation, "model") == [("Uno",)]
