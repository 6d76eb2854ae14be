"""One car of a stock file, checked. Made by the readers of this package, used by `.plan`.

What a dealer reads of a bad line is written here, in Portuguese.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from worker.stock.naming import split_name
from worker.stock.numbers import BadNumber, check_pair, km_of, price_of, years_of
from worker.stock.words import Words, plain

LABELS = {
    "id": "id", "codigo": "código", "chassi": "chassi", "brand": "marca", "model": "modelo",
    "version": "versão", "brand_model": "marca/modelo", "years": "ano", "year": "ano",
    "year_model": "ano do modelo", "price": "preço", "mileage": "km", "color": "cor",
    "fuel_type": "combustível", "transmission": "câmbio", "description": "descrição",
    "extras": "opcionais", "status": "situação", "images": "fotos",
}  # fmt: skip
"""The fields in a dealer's words."""
_LENGTHS = {
    "codigo": 64, "brand": 100, "model": 255, "version": 255, "brand_model": 255, "color": 50,
    "fuel_type": 50, "transmission": 50, "description": 12_000, "extras": 3_500,
}  # fmt: skip
_EXCEL_ERROR = re.compile(r"#(?:REF|N/?[AD]|VALOR|VALUE|DIV/0|NOME|NAME|NULL|NULO|N[UÚ]M)[!?]?")
_PLATE = re.compile(r"(?i)[a-z]{3}[-\s]?\d[a-z0-9]\d{2}")
_PLATE_IN_TEXT = re.compile(r"(?i)\bplacas?\b\W{0,3}[a-z]{3}[-\s]?\d[a-z0-9]\d{2}\b")
_ADDRESS = re.compile(r"https?://[^\s/]+\S*")
_BETWEEN_PHOTOS = re.compile(r"[\s|;]+|,(?=\s*https?://)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAX_ID = 2**31 - 1
_MAX_PHOTOS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CarRow:
    """What a file says of one car. None: it says nothing of that."""

    id: int | None = None
    codigo: str | None = None
    chassi: str | None = field(default=None, repr=False)
    """As in the file, for a digest of it; never stored, never shown."""
    brand: str | None = None
    model: str | None = None
    year: int | None = None
    year_model: int | None = None
    price: Decimal | None = None
    mileage: int | None = None
    color: str | None = None
    fuel_type: str | None = None
    transmission: str | None = None
    description: str | None = None
    status: str | None = None
    images: tuple[str, ...] | None = None
    notices: tuple[str, ...] = ()
    """What the dealer should know though the car is taken."""

    @property
    def name(self) -> str:
        """For lists."""
        return " ".join(part for part in (self.brand, self.model) if part) or f"id {self.id}"


class BadLine(ValueError):
    """A line that is no car. `car` holds what could be read of it, its keys above all."""

    def __init__(self, problems: Sequence[str], car: CarRow) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.car = car


class _Reader:
    """Takes the fields of one line and gathers what is wrong with them."""

    def __init__(self, values: Mapping[str, Sequence[object]], words: Words, year: int) -> None:
        self._values = values
        self._words = words
        self._now = year
        self.problems: list[str] = []
        self.notices: list[str] = []

    def text(self, name: str) -> str | None:
        """One line of clean text, or several of a field that is told at length."""
        parts = [self._clean(name, value) for value in self._values.get(name, ())]
        joined = "\n".join(part for part in parts if part)
        if len(joined) > _LENGTHS.get(name, 12_000):
            self.wrong(name, f"o texto tem {len(joined)} letras; o limite é {_LENGTHS[name]}")
            return None
        return joined or None

    def _clean(self, name: str, value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = _CONTROLS.sub("", str(value)).strip()
        if "\ufffd" in text:
            self.wrong(name, "há letras estragadas (�): salve o arquivo de novo como CSV UTF-8")
        return text if name in ("description", "extras") else re.sub(r"\s+", " ", text)

    def number(self, name: str, read: Callable[[object], object]) -> object:
        """What `read` makes of the field."""
        value = next(iter(self._values.get(name, ())), None)
        if value is None:
            return None
        try:
            return read(value)
        except BadNumber as error:
            self.wrong(name, str(error))
            return None

    def wrong(self, name: str, text: str) -> None:
        """Notes a problem."""
        self.problems.append(f"{LABELS[name]}: {text}")

    def price(self) -> Decimal | None:
        """A car whose price is on request has none."""
        value = next(iter(self._values.get("price", ())), None)
        if value is None:
            return None
        asked = isinstance(value, str) and plain(value) in self._words.no_price
        price = None if asked else self.number("price", price_of)
        if price is None and not self.problems:
            self.notices.append("sem preço: Lucas não oferece este carro")
        return price if isinstance(price, Decimal) else None

    def years(self) -> tuple[int | None, int | None]:
        """From a column of both or from one for each."""
        read = lambda value: years_of(value, now=self._now)  # noqa: E731
        pair = self.number("years", read) or self.number("year", read)
        built, model = pair if isinstance(pair, tuple) else (None, None)
        second = self.number("year_model", read)
        if isinstance(second, tuple):
            model = second[1] or second[0]
            if second[1] is not None and built is None:  # Ano/Modelo that holds both
                built = second[0]
        try:
            check_pair(built, model)
        except BadNumber as error:
            self.wrong("year", str(error))
        return built, model

    def status(self) -> str | None:
        """One of the column's three values; None where the word says nothing of a sale."""
        text = self.text("status")
        if text is None:
            return None
        found = self._words.status.get(plain(text))
        if found is None:
            self.wrong(
                "status", f"'{text[:40]}' não é conhecido: use disponível, reservado ou vendido"
            )
        return None if found == "silent" else found

    def photos(self) -> tuple[str, ...] | None:
        """Addresses in order, each once."""
        cells = self._values.get("images", ())
        found = [
            part.strip(",")
            for cell in cells
            for part in _BETWEEN_PHOTOS.split(str(cell))
            if part.strip(",")
        ]
        for url in found:
            if not _ADDRESS.fullmatch(url) or len(url) > 500:
                self.wrong(
                    "images",
                    f"'{url[:60]}' não é um endereço http(s) de até 500 letras: use o link da foto",
                )
        unique = tuple(dict.fromkeys(found))
        if len(unique) > _MAX_PHOTOS:
            self.wrong("images", f"há {len(unique)} fotos; o limite é {_MAX_PHOTOS}")
        return unique or None

    def chassi(self) -> str | None:
        """Letters and digits alone."""
        text = re.sub(r"[^A-Z0-9]", "", (self.text("chassi") or "").upper())
        if text and len(text) < 6:
            self.wrong("chassi", "precisa de pelo menos 6 letras e números")
        return text or None

    def code(self) -> str | None:
        """A dealer's own code; a plate is none, it is never stored."""
        text = self.text("codigo")
        if text is not None and _PLATE.fullmatch(text):
            self.wrong("codigo", "parece uma placa, e placas não são guardadas: use outro código")
            return None
        return text

    def known(self, name: str, meaning: Callable[[str], str | None]) -> str | None:
        """The usual word for a fuel or a gearbox; an unknown one stays as it is."""
        text = self.text(name)
        if text is None:
            return None
        found = meaning(text)
        if found is None:
            self.notices.append(f"{LABELS[name]} '{text[:40]}' não é conhecido: fica como está")
        return found or text

    def names(self) -> tuple[str | None, str | None]:
        """Brand and model, from two columns or from one, with the version behind."""
        brand, model, version = self.text("brand"), self.text("model"), self.text("version")
        both = self.text("brand_model")
        if both is not None and (brand is None or model is None):
            split = split_name(both)
            if brand is not None:
                model = model or (split[1] if split and plain(split[0]) == plain(brand) else both)
            elif split is None:
                self.wrong(
                    "brand_model",
                    f"não reconheço a marca em '{both[:60]}': use as colunas Marca e Modelo",
                )
            else:
                brand, model = split[0], model or split[1]
        elif brand is None and model is not None and (split := split_name(model)):
            brand, model = split
        if model is not None and version is not None and plain(version) not in plain(model):
            model = f"{model} {version}"
        if model is not None and len(model) > _LENGTHS["model"]:
            self.wrong("model", f"o texto tem {len(model)} letras; o limite é {_LENGTHS['model']}")
        return brand, model

    def told(self) -> str | None:
        """The description with the extras behind it, without plates."""
        description, extras = self.text("description"), self.text("extras")
        if extras is not None:
            extras = "Opcionais: " + re.sub(r"\s*\n\s*", ", ", extras)
        text = "\n".join(part for part in (description, extras) if part)
        return _PLATE_IN_TEXT.sub("", text).strip() or None


def car_of(values: Mapping[str, Sequence[object]], words: Words, *, year: int) -> CarRow:
    """A car from the filled cells of a line, by field. `year` is this year. Raises BadLine."""
    reader = _Reader(_without_errors(values), words, year)
    for name in values:
        if any(_is_error(value) for value in values[name]):
            reader.wrong(name, "a célula tem um erro do Excel: corrija a fórmula ou digite o valor")
    brand, model = reader.names()
    built, model_year = reader.years()
    number = reader.number("id", _id)
    mileage = reader.number("mileage", km_of)
    car = CarRow(
        id=number if isinstance(number, int) else None,
        codigo=reader.code(),
        chassi=reader.chassi(),
        brand=brand,
        model=model,
        year=built,
        year_model=model_year,
        price=reader.price(),
        mileage=mileage if isinstance(mileage, int) else None,
        color=reader.text("color"),
        fuel_type=reader.known("fuel_type", words.fuel_of),
        transmission=reader.known("transmission", words.transmission_of),
        description=reader.told(),
        status=reader.status(),
        images=reader.photos(),
        notices=tuple(reader.notices),
    )
    if reader.problems:
        raise BadLine(reader.problems, car)
    return car


def _id(value: object) -> int:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if not re.fullmatch(r"[0-9]{1,10}", text.strip()) or not 1 <= int(text) <= _MAX_ID:
        raise BadNumber(f"'{text[:40]}' não é um id: use um número inteiro")
    return int(text)


def _is_error(value: object) -> bool:
    return isinstance(value, str) and _EXCEL_ERROR.fullmatch(value.strip()) is not None


def _without_errors(values: Mapping[str, Sequence[object]]) -> dict[str, list[object]]:
    kept = {name: [cell for cell in cells if not _is_error(cell)] for name, cells in values.items()}
    return {name: cells for name, cells in kept.items() if cells}
