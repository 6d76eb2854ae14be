"""What dealers hand in by mistake: each gets its own message in Portuguese that says what to do."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from tests.stock.sheets import book, read
from worker.stock.books import MAX_UNPACKED
from worker.stock.reading import BadFile

_CSV = "Marca;Modelo;Ano;Preço;KM\nFiat;Argo;2020;68900;41000\n"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def _bomb() -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as member,
    ):
        for _ in range(MAX_UNPACKED // 1_000_000 + 1):
            member.write(b" " * 1_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "vazio"),
        (b"\xef\xbb\xbf\r\n", "vazio"),
        (b"Marca;Modelo;Ano\n", "só o cabeçalho"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xff\xd8\xff\xe0 ...", "imagem"),
        (b"<html><table><tr><td>Marca</td></tr></table></html>", "salve como .xlsx"),
        (b"<?xml version='1.0'?><estoque/>", "XML"),
        (b"Rar!\x1a\x07", "descompacte"),
        (_OLE + "EncryptedPackage".encode("utf-16-le"), "senha"),
        (_OLE, "estragada ou cortada"),
        (b"PK\x03\x04" + b"\0" * 50, "estragada ou cortada"),
        (b"Fiat;Argo;2020\nVW;Gol;2012\n", "não achei o cabeçalho"),
        (book({"Plan1": [("Fiat", "Argo", 2020)]}), "nenhuma planilha tem cabeçalho"),
        (b"Marca;Modelo;Preco;Preco\nFiat;Uno;1;2\n", "duas colunas com o nome 'Preco'"),
        (b'Marca;Modelo;Cor\nFiat;"Uno;Azul\nVW;Gol;Preto\n', "linha 2: as aspas"),
        (_CSV.encode() + b"VW;Gol;20", "cortado na linha 3"),
        (b'[{"marca": "Fiat", "modelo": ', "JSON está cortado"),
        (b'{"total": 3}', "lista de carros"),
        (b"INSERT INTO cars (brand) VALUES ('a');\nDELETE FROM cars;", "DELETE não é importado"),
        (b"INSERT INTO veiculos VALUES (1, 'Fiat');", "não diz as colunas"),
        (b"INSERT INTO cars (id, brand) VALUES (1);", "1 valores para 2 colunas"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    """Nothing of it is read as cars."""
    with pytest.raises(BadFile) as refused:
        read(data, "estoque")
    assert says.lower() in str(refused.value).lower()


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked() -> None:
    """200 kB on the disk, 200 MB in memory."""
    with pytest.raises(BadFile, match="grande demais"):
        read(_bomb(), "estoque.xlsx")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Fiat;Argo;2020;89,9;41000", "preço: '89,9' é baixo demais"),
        ("Fiat;Argo;2020;barato;41000", "preço: 'barato' não é um preço"),
        ("Fiat;Argo;2021/2020;68900;41000", "escreva fabricação/modelo"),
        ("Fiat;Argo;2 020;68900;41000", "ano: '2 020' não é um ano"),
        ("Fiat;Argo;2020;68900;muitos", "km: 'muitos' não é uma quilometragem"),
        ("Fiat;Argo;2020;68900;#VALOR!", "km: a célula tem um erro do Excel"),
        (";Argo Especial Zeta;2020;#N/D;41000", "erro do Excel"),
        ("Fi\ufffdt;Argo;2020;68900;41000", "letras estragadas"),
        ("Fiat;Argo;2020;68;900,00;41000", "contém o separador"),
        (f"Fiat;{'x' * 256};2020;68900;1", "o limite é 255"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_what_to_do(line: str, says: str) -> None:
    """The good line beside it is read all the same."""
    reading = read(f"{_CSV}{line}\n")
    assert [car.model for car in reading.cars] == ["Argo"]
    assert [str(refused.place) for refused in reading.refused] == ["linha 3"]
    assert says in "; ".join(reading.refused[0].problems)


@pytest.mark.parametrize(
    ("heading", "cell", "says"),
    [
        ("Situação", "na oficina", "situação: 'na oficina' não é conhecido"),
        ("Fotos", "C:\\fotos\\1.jpg", "fotos: 'C:\\fotos\\1.jpg' não é um endereço"),
        ("Código", "ABC1D23", "código: parece uma placa"),
        ("Chassi", "12", "chassi: precisa"),
        ("id", "A7", "id: 'A7' não é um id"),
    ],
)
def test_a_column_with_what_does_not_belong_there(heading: str, cell: str, says: str) -> None:
    """Said by the column's name."""
    reading = read(f"Marca;Modelo;{heading}\nFiat;Uno;{cell}\n")
    assert reading.cars == []
    assert says in "; ".join(reading.refused[0].problems)


def test_a_year_that_excel_made_a_date_of() -> None:
    """The number of days since 1900 is no year."""
    reading = read(book({"Plan1": [("Marca", "Modelo", "Ano"), ("Fiat", "Uno", date(2020, 1, 1))]}))
    assert "o Excel transformou o ano em data" in reading.refused[0].problems[0]


def test_a_brand_that_nobody_knows_is_asked_for() -> None:
    """Not guessed."""
    reading = read("Veículo;Preço\nZyxwv 3000;50000\n")
    assert "não reconheço a marca" in reading.refused[0].problems[0]
