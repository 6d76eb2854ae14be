"""Every form that dealers' files have is read as the same cars."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.stock.sheets import book, number, ods, read, words
from worker.stock.vehicle import CarRow
from worker.stock.words import BadWords, our_words, words_with

_HEADING = (
    "Marca",
    "Modelo",
    "Versão",
    "Ano Fab/Mod",
    "Vlr",
    "KM",
    "Câmbio",
    "Combustível",
    "Cor",
    "Situação",
)
_CARS = (
    (
        "Fiat",
        "Argo",
        "Drive 1.0",
        "2020/2021",
        "R$ 68.900,00",
        "41.000 km",
        "Mec.",
        "Gasolina/Álcool",
        "Branco",
        "Disponível",
    ),
    ("VW", "Nivus", "Highline", "22/22", "119.900", "12 mil", "Aut.", "Flex", "Cinza", "Reservado"),
)
_TITLE = (("ESTOQUE DE SEMINOVOS - NOVEMBRO",), (), ("Atualizado em 24/11",))


def _facts(car: CarRow) -> tuple[object, ...]:
    return (
        car.brand,
        car.model,
        car.year,
        car.year_model,
        car.price,
        car.mileage,
        car.transmission,
        car.fuel_type,
        car.color,
        car.status,
    )


_MEANT = [
    (
        "Fiat",
        "Argo Drive 1.0",
        2020,
        2021,
        Decimal(68900),
        41000,
        "Manual",
        "Flex",
        "Branco",
        "available",
    ),
    (
        "VW",
        "Nivus Highline",
        2022,
        2022,
        Decimal(119900),
        12000,
        "Automático",
        "Flex",
        "Cinza",
        "reserved",
    ),
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_csv_in_any_separator_and_encoding(delimiter: str, encoding: str) -> None:
    """Titles above the heading, empty lines, sums and a second heading are no cars."""
    lines = [*_TITLE, _HEADING, _CARS[0], (), _HEADING, _CARS[1], ("Total", "2 carros")]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines) + "\r\n"

    reading = read(text.encode(encoding))

    assert [_facts(car) for car in reading.cars] == _MEANT
    assert [line.place.line for line in reading.lines] == [5, 8]
    assert reading.refused == []


def test_text_that_was_decoded_wrongly_once_is_mended() -> None:
    """`PreÃ§o` is what a program makes of UTF-8 that it takes for cp1252."""
    text = "Marca;Modelo;Preço;Câmbio\nCitroën;C3;50000;Automático\n"
    reading = read(text.encode().decode("cp1252").encode())
    assert (reading.cars[0].brand, reading.cars[0].transmission) == ("Citroën", "Automático")


def test_a_workbook_with_titles_merged_cells_and_several_sheets() -> None:
    """A brand merged over its cars stands for each; a sheet's name may say that all are sold."""
    data = book(
        {
            "Seminovos": [
                ("LOJA",),
                (),
                ("Marca", "Modelo", "Ano", "Preço", "KM"),
                ("", "Argo", 2020, 68900, 41000),
                ("", "Mobi", 2021.0, 50000.5, 0),
            ],
            "Vendidos": [
                ("Fotos do pátio",),
                (),
                ("Marca", "Modelo", "Ano", "Preço", "KM"),
                ("", "Uno", 2012, 25000, 120000),
            ],
            "Resumo": [("Total", 3)],
            "Custos": [("Marca", "Modelo"), ("X", "Y")],
        },
        merged=[(3, 0, 4, 0, "Fiat")],
        hidden=["Custos"],
    )

    reading = read(data, "estoque.xls")  # by what is in it, not by its name

    assert [(c.brand, c.model, c.price, c.status) for c in reading.cars[:2]] == [
        ("Fiat", "Argo", Decimal(68900), None),
        ("Fiat", "Mobi", Decimal("50000.50"), None),
    ]
    assert (reading.cars[2].model, reading.cars[2].status) == ("Uno", "sold")
    assert str(reading.lines[0].place) == "planilha Seminovos, linha 4"
    assert any("Custos" in text for text in reading.notes)


def test_an_old_xls_is_read_too() -> None:
    """Of Excel 97, which many dealers' programs still write."""
    reading = read((Path(__file__).parent / "estoque.xls").read_bytes(), "estoque.xls")
    assert [_facts(car) for car in reading.cars] == _MEANT


def test_a_sheet_of_libreoffice_is_read() -> None:
    """ODS: money as it is stored and not as it is shown, empty cells and lines counted once."""
    gap = '<table:table-cell table:number-columns-repeated="2"/>'
    km, money = number("41000", "41.000"), number("68900.5", "R$ 68.900,50", "currency")
    data = ods(
        {
            "Seminovos": [
                [words("Estoque")],
                ['<table:table-cell table:number-columns-repeated="7"/>'],
                [*map(words, ("Marca", "Modelo", "Ano", "Cor", "Câmbio", "KM", "Preço"))],
                [words("Fiat"), words("Argo"), number("2021", "2021"), gap, km, money],
                [*map(words, ("VW", "Gol &amp; cia", "2020", "Prata", "Aut.", "12 mil", "50.000"))],
            ],
            "Vendidos": [
                [words(name) for name in ("Marca", "Modelo", "Preço")],
                [words("Fiat"), words("Uno"), number("25000", "25.000")],
            ],
        }
    )

    reading = read(data, "estoque.ods")

    assert reading.refused == []
    assert [(c.brand, c.model, c.year, c.mileage, c.price, c.status) for c in reading.cars] == [
        ("Fiat", "Argo", 2021, 41000, Decimal("68900.5"), None),
        ("VW", "Gol & cia", 2020, 12000, Decimal(50000), None),
        ("Fiat", "Uno", None, None, Decimal(25000), "sold"),
    ]
    assert str(reading.lines[0].place) == "planilha Seminovos, linha 4"


_TWO_ROWS = [
    # Groups above names, one of them told apart by its group alone.
    ("Veículo;;Ano;;Valores;", "Marca;Modelo;Fabricação;Modelo;FIPE;Preço"),
    # Single names stand in the upper row, over two rows.
    ("Marca;Modelo;Ano;;Preço;", ";;Fabricação;Modelo;FIPE;À vista"),
    (";;Ano;;Valor;", "Marca;Modelo;Fab.;Modelo;Custo;Venda"),
    # Units below the names.
    ("Marca;Modelo;Ano Fab;Ano Mod;FIPE;Preço", ";;;;;(R$)"),
]


@pytest.mark.parametrize("heading", _TWO_ROWS)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_heading_of_two_rows_is_read_as_one(heading: tuple[str, str], form: str) -> None:
    """A group's title says what its columns mean where their own names do not; what is not for
    buyers stays out."""
    car = ("Fiat", "Argo", "2020", "2021", "45.000", "68.900")
    rows = [row.split(";") for row in heading]
    lines = [("ESTOQUE",), *rows, car, ("VW", "Gol", "", "", "", "50.000")]
    text = "\n".join(";".join(line) for line in lines)

    reading = read(text) if form == "csv" else read(book({"Carros": lines}), "carros.xlsx")

    assert reading.refused == []
    assert [(c.brand, c.model, c.year, c.year_model, c.price) for c in reading.cars] == [
        ("Fiat", "Argo", 2020, 2021, Decimal(68900)),
        ("VW", "Gol", None, None, Decimal(50000)),
    ]


def test_a_line_below_the_heading_is_no_part_of_it() -> None:
    """Whatever is empty in the first car: it is a car, of texts alone too."""
    reading = read("Marca;Modelo;Cor;Preço;Opcionais\nFiat;Uno;;;\nFiat;Mobi;Azul;Consulte;Ar\n")
    assert [car.model for car in reading.cars] == ["Uno", "Mobi"]
    nameless = read("Marca;Modelo;Cor;KM\n;;Azul;10\nFiat;Uno;;\n")
    assert [line.place.line for line in nameless.lines] == [2, 3]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda cars: cars,
        lambda cars: {"cars": cars},
        lambda cars: {"data": {"total": 2, "veiculos": cars}, "lojas": [{"nome": "Centro"}]},
    ],
)
def test_json_of_any_shape(wrap: object) -> None:
    """A list, an object with the list in it however deep, values that are objects themselves."""
    cars = [
        {
            "marca": {"id": 3, "nome": "Fiat"},
            "modelo": "Argo",
            "anoModelo": 2021,
            "anoFabricacao": 2020,
            "valor": 68900.5,
            "opcionais": ["Ar", "Direção"],
            "fotos": [{"url": "https://f.example/1.jpg"}, {"url": "https://f.example/2.jpg"}],
        },
        {"veiculo": {"marca": "VW", "modelo": "Gol"}, "preco": "R$ 40.000,00", "placa": "ABC1D23"},
    ]
    assert callable(wrap)
    reading = read(json.dumps(wrap(cars)), "estoque.json")

    first, second = reading.cars
    assert (first.brand, first.year, first.year_model, first.price) == (
        "Fiat",
        2020,
        2021,
        Decimal("68900.5"),
    )
    assert first.images == ("https://f.example/1.jpg", "https://f.example/2.jpg")
    assert first.description == "Opcionais: Ar, Direção"
    assert (second.brand, second.model, second.price) == ("VW", "Gol", Decimal(40000))
    assert any("placa" in text for text in reading.notes)


def test_a_dump_of_another_system_gives_codes_and_not_our_ids() -> None:
    """Its `id` is the dealer's code; other tables are named and passed over."""
    text = (
        "INSERT INTO usuarios (id) VALUES (1);\n"
        "INSERT INTO veiculos (id, marca, modelo, valor) VALUES (77, 'Fiat', 'Uno', 30000);\n"
        "INSERT INTO fotos (veiculo_id, url, ordem) VALUES (77, 'https://f.example/b.jpg', 2),"
        " (77, 'https://f.example/a.jpg', 1);"
    )
    reading = read(text, "dump.sql")
    assert (reading.cars[0].id, reading.cars[0].codigo) == (None, "77")
    assert reading.cars[0].images == ("https://f.example/a.jpg", "https://f.example/b.jpg")
    assert any("usuarios" in text for text in reading.notes)


@pytest.mark.parametrize(
    ("cell", "brand", "model"),
    [
        ("VW/Gol 1.0", "Volkswagen", "Gol 1.0"),
        ("FIAT - ARGO DRIVE", "Fiat", "ARGO DRIVE"),
        ("I/BMW 320I", "BMW", "320I"),
        ("Land Rover Evoque", "Land Rover", "Evoque"),
        ("Onix LT 1.0", "Chevrolet", "Onix LT 1.0"),
    ],
)
def test_brand_and_model_of_one_cell_are_parted(cell: str, brand: str, model: str) -> None:
    """Whatever sign stands between them, or none."""
    reading = read(f"Marca/Modelo;Preço\n{cell};50000\n")
    assert [(car.brand, car.model) for car in reading.cars] == [(brand, model)]


def test_photos_of_several_columns_and_separators_keep_their_order() -> None:
    """Each once; blanks, bars, commas before http and lines part them."""
    cell = "https://f.example/1.jpg | https://f.example/2.jpg,https://f.example/1.jpg"
    reading = read(f'Marca;Modelo;Foto 1;Foto 2\nFiat;Uno;"{cell}";"https://f.example/3.jpg"\n')
    assert reading.cars[0].images == tuple(
        f"https://f.example/{number}.jpg" for number in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("cell", "fuel"),
    [
        ("Flex", "Flex"),
        ("Álcool", "Etanol"),
        ("Gasolina/Álcool", "Flex"),
        ("Diesel S10", "Diesel"),
        ("Elétrico", "Elétrico"),
        ("HÍBRIDO", "Híbrido"),
        ("Gasolina e elétrico", "Híbrido"),
        ("Flex/GNV", "Flex e GNV"),
        ("Hidrogênio", None),
    ],
)
def test_fuels(cell: str, fuel: str | None) -> None:
    """In the words that buyers use."""
    assert our_words().fuel_of(cell) == fuel


@pytest.mark.parametrize(
    ("cell", "gears"),
    [
        ("Aut.", "Automático"),
        ("Automático CVT", "Automático CVT"),
        ("Mec.", "Manual"),
        ("A/T", "Automático"),
        ("Manual 5 marchas", "Manual 5 marchas"),
        ("Automatizado", "Automatizado"),
        ("Borboleta", None),
    ],
)
def test_transmissions(cell: str, gears: str | None) -> None:
    """In the words that buyers use."""
    assert our_words().transmission_of(cell) == gears


@pytest.mark.parametrize("heading", ["Ano/Modelo", "Ano", "Ano Fab/Mod", "ANO_MODELO"])
def test_a_column_that_holds_both_years_gives_both(heading: str) -> None:
    """Whatever it is called."""
    car = read(f"Marca;Modelo;{heading}\nHonda;Civic;19/20\n").cars[0]
    assert (car.year, car.year_model) == (2019, 2020)


def test_what_is_not_for_buyers_stays_out() -> None:
    """Cost, FIPE, plate and notes of the yard are no facts of an advertisement."""
    reading = read(
        "Placa;Marca;Modelo;Preço de custo;FIPE;Preço;Observações;Descrição\n"
        "ABC1D23;Fiat;Uno;20000;28000;30000;cliente devedor;Único dono, placa ABC-1D23\n"
    )
    car = reading.cars[0]
    assert (car.price, car.description) == (Decimal(30000), "Único dono,")
    assert "ABC" not in repr(car)


def test_a_dealers_own_words_go_before_ours(tmp_path: Path) -> None:
    """Columns and states that no other dealer has need no code."""
    own = tmp_path / "dealer.toml"
    own.write_text('[columns]\nprice = ["Tabela Ouro"]\n[status]\nreserved = ["No nome do João"]\n')
    words = words_with(own)
    assert words.field_of("TABELA OURO") is not None
    assert words.status["no nome do joao"] == "reserved"
    own.write_text('[columns]\npreco = ["x"]\n')
    with pytest.raises(BadWords, match="não existe o campo preco"):
        words_with(own)


def test_the_example_of_the_docs_is_read_as_it_says() -> None:
    """Three cars, nothing refused, nothing left over."""
    path = Path(__file__).parents[2] / "docs" / "estoque-exemplo.csv"
    reading = read(path.read_bytes())
    assert (len(reading.cars), reading.refused, reading.notes) == (3, [], [])
    assert [car.notices for car in reading.cars] == [(), (), ()]
    models = [car.model for car in reading.cars]
    assert models == ["Argo Drive 1.0", "Nivus Highline", "Hilux SRX 2.8"]
    assert [len(car.images or ()) for car in reading.cars] == [2, 0, 0]
