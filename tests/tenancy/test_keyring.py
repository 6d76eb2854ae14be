"""Stored secrets: sealed for one row, opened by any listed key, never shown."""

from __future__ import annotations

import base64

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schema.errors import SecretUnreadable
from tenancy.keyring import Keyring, credentials_of, new_key, password_of
from tenancy.settings import TenancySettings

KEYS = Keyring.parse(new_key())
SECRETS = st.text(max_size=200)
PURPOSES = st.one_of(
    st.integers(1).map(password_of),
    st.tuples(st.text(), st.text()).map(lambda t: credentials_of(*t)),
)


@given(SECRETS, PURPOSES)
def test_what_is_sealed_opens(secret: str, purpose: str) -> None:
    """Any text comes back, and the token does not repeat itself."""
    token = KEYS.seal(secret, purpose=purpose)

    assert KEYS.open(token, purpose=purpose) == secret
    assert KEYS.seal(secret, purpose=purpose) != token


@given(SECRETS, PURPOSES, PURPOSES)
def test_a_token_opens_for_its_own_row_alone(secret: str, purpose: str, other: str) -> None:
    """Copied into another row it is refused."""
    token = KEYS.seal(secret, purpose=purpose)
    if purpose == other:
        return

    with pytest.raises(SecretUnreadable):
        KEYS.open(token, purpose=other)


@given(st.data(), SECRETS)
def test_an_altered_token_is_refused(data: st.DataObject, secret: str) -> None:
    """A change of any one character is found, and the error shows neither token nor secret."""
    token = KEYS.seal("s3cr3t!" + secret, purpose="p")
    place = data.draw(st.integers(0, len(token) - 1))
    changed = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    altered = token[:place] + changed + token[place + 1 :]
    if _same_bytes(altered, token):
        return

    with pytest.raises(SecretUnreadable) as caught:
        KEYS.open(altered, purpose="p")
    assert token not in str(caught.value)
    assert "s3cr3t!" not in str(caught.value)


def _same_bytes(altered: str, token: str) -> bool:
    """The last character before the padding of base64 has bits that mean nothing."""
    head, _, body = altered.rpartition(":")
    try:
        return head == token.rpartition(":")[0] and base64.b64decode(
            body, validate=True
        ) == base64.b64decode(token.rpartition(":")[2])
    except ValueError:
        return False


def test_the_newest_key_seals_and_older_ones_open() -> None:
    """Keys are exchanged by putting a new one in front."""
    old, new = new_key(), new_key()
    token = Keyring.parse(old).seal("x", purpose="p")
    both = Keyring.parse(f"{new},{old}")

    assert both.open(token, purpose="p") == "x"
    assert both.seal("x", purpose="p").startswith(f"v2:{new.partition(':')[0]}:")
    with pytest.raises(SecretUnreadable, match="TENANCY_KEYS"):
        Keyring.parse(new).open(token, purpose="p")


def test_tokens_of_an_earlier_installation_can_be_read() -> None:
    """Fernet tokens open with the key listed as `fernet`; without it the error says so."""
    key = Fernet.generate_key()
    token = Fernet(key).encrypt(b"senha").decode()

    assert Keyring.parse(f"{new_key()},fernet:{key.decode()}").open(token, purpose="p") == "senha"
    with pytest.raises(SecretUnreadable, match="fernet:"):
        KEYS.open(token, purpose="p")
    other = Fernet.generate_key().decode()
    with pytest.raises(SecretUnreadable):
        Keyring.parse(f"{new_key()},fernet:{other}").open(token, purpose="p")


ONE = new_key()


@pytest.mark.parametrize(
    "lines",
    [
        "",
        " , ",
        "nokey",
        "k1:c2hvcnQ=",
        f"{ONE},{ONE}",
        f"{ONE},other:{ONE.partition(':')[2]}",
        ONE.partition(":")[2],
        f"fernet:{Fernet.generate_key().decode()}",
    ],
    ids=["empty", "comma", "no name", "short", "twice", "two names", "no colon", "reserved"],
)
def test_a_key_list_that_is_empty_repeated_or_garbled_stops_the_start(lines: str) -> None:
    """The process refuses to start, and its error holds no key."""
    with pytest.raises(ValidationError) as caught:
        TenancySettings(tenancy_keys=lines)

    assert ONE.partition(":")[2] not in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)


def test_a_keyring_does_not_print_its_keys() -> None:
    """Its repr names the ids."""
    key = new_key()
    assert key.partition(":")[2] not in repr(Keyring.parse(key))
    assert key.partition(":")[0] in repr(Keyring.parse(key))
