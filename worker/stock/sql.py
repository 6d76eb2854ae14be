"""Reads the rows of INSERTs into tables of cars and photos out of an SQL text, without running it.

Called by `.dump`. What a dump has around them is passed over; a statement that changes rows in
another way is an error, so that nothing that the file means to do is lost without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

TEMPLATE = {
    "cars": (
        "id", "brand", "model", "year", "year_model", "price", "mileage", "color", "fuel_type",
        "transmission", "description", "status", "created_at", "updated_at",
    ),
    "car_images": ("id", "car_id", "url", "ordem", "is_principal"),
}  # fmt: skip
"""Columns of a dump without a column list: the order of the tables' own."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|--(?=\s)[^\n]*|\#[^\n]*|/\*.*?\*/)
      | (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
      | `(?P<name>[^`]+)`
      | (?P<number>[-+]?\d+(?:\.\d+)?)
      | (?P<word>\w+)
      | (?P<sign>[(),;.=@*+:-])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_PASSED_OVER = frozenset(
    {"SET", "LOCK", "UNLOCK", "CREATE", "DROP", "ALTER", "USE", "START", "BEGIN", "COMMIT"}
)
_KEYWORDS = {"NULL": None, "TRUE": 1, "FALSE": 0}


class SqlError(ValueError):
    """The text is not understood at a line. Says so to the dealer, in Portuguese."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertedRow:
    """One row of an INSERT."""

    line: int
    table: str
    values: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def read_inserts(text: str, tables: Mapping[str, str]) -> tuple[list[InsertedRow], set[str]]:
    """All rows of `tables`, in order, and the names of other tables that the text fills. Raises
    SqlError."""
    rows: list[InsertedRow] = []
    others: set[str] = set()
    statement: list[_Token] = []
    for token in [*_tokens(text), _Token("sign", ";", text.count("\n") + 1)]:
        if token.text != ";" or token.kind != "sign":
            statement.append(token)
        elif statement:
            rows.extend(_statement(statement, tables, others))
            statement = []
    return rows, others


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SqlError(
                line, f"não entendi {text[position : position + 20]!r}: exporte o SQL de novo."
            )
        if match.lastgroup != "space":
            kind = str(match.lastgroup)
            yield _Token(kind, match[kind], line)
        line += match[0].count("\n")
        position = match.end()


class _Reader:
    """Walks over the tokens of one statement."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def line(self) -> int:
        return self._tokens[min(self._next, len(self._tokens) - 1)].line

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def take(self) -> _Token:
        token = self.peek()
        if token is None:
            raise SqlError(self.line, "o comando está cortado: exporte o SQL de novo.")
        self._next += 1
        return token

    def skip(self, *texts: str) -> bool:
        """Takes the next token if it is one of these words or signs."""
        token = self.peek()
        found = token is not None and token.kind in ("word", "sign") and token.text.upper() in texts
        self._next += found
        return found

    def expect(self, text: str) -> None:
        if not self.skip(text):
            token = self.peek()
            raise SqlError(
                self.line, f"falta {text} antes de {token.text if token else 'terminar'}."
            )


def _statement(
    tokens: list[_Token], tables: Mapping[str, str], others: set[str]
) -> list[InsertedRow]:
    reader = _Reader(tokens)
    line = reader.line
    verb = reader.take().text.upper()
    if verb in _PASSED_OVER:
        return []
    if verb not in ("INSERT", "REPLACE"):
        raise SqlError(line, f"{verb} não é importado: exporte só os INSERTs de carros e fotos.")
    reader.skip("IGNORE")
    reader.skip("INTO")
    table = reader.take().text
    if reader.skip("."):
        table = reader.take().text
    if table not in tables:
        others.add(table)
        return []
    columns = _columns(reader) or TEMPLATE.get(table, ())
    if not columns:
        raise SqlError(line, f"o INSERT em {table} não diz as colunas: exporte com os nomes delas.")
    if not reader.skip("VALUES", "VALUE"):
        raise SqlError(line, "só INSERT ... VALUES é importado.")
    return _rows(reader, table, columns)


def _columns(reader: _Reader) -> tuple[str, ...]:
    if not reader.skip("("):
        return ()
    names = [reader.take().text]
    while reader.skip(","):
        names.append(reader.take().text)
    reader.expect(")")
    return tuple(names)


def _rows(reader: _Reader, table: str, columns: tuple[str, ...]) -> list[InsertedRow]:
    rows = []
    while True:
        line = reader.line
        reader.expect("(")
        values = [_value(reader)]
        while reader.skip(","):
            values.append(_value(reader))
        reader.expect(")")
        if len(values) != len(columns):
            raise SqlError(line, f"há {len(values)} valores para {len(columns)} colunas.")
        row = dict(zip(columns, values, strict=True))
        rows.append(InsertedRow(line=line, table=table, values=row))
        if not reader.skip(","):
            break
    if (rest := reader.peek()) is not None:
        raise SqlError(rest.line, f"não entendi {rest.text} depois de VALUES.")
    return rows


def _value(reader: _Reader) -> object:
    token = reader.take()
    if token.kind == "string":
        return _unquoted(token.text)
    if token.kind == "number":
        return Decimal(token.text) if "." in token.text else int(token.text)
    if token.kind == "word" and token.text.upper() in _KEYWORDS:
        return _KEYWORDS[token.text.upper()]
    raise SqlError(token.line, f"{token.text} não é um valor simples: exporte só valores.")


def _unquoted(text: str) -> str:
    quote = text[0]
    return re.sub(
        rf"\\(.)|{quote}{quote}",
        lambda match: quote if match[1] is None else _ESCAPES.get(match[1], match[1]),
        text[1:-1],
        flags=re.DOTALL,
    )
