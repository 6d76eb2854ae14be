"""`helix lucas`: a dealer's settings, by processes of its own, heard by a real worker."""

from __future__ import annotations

import pytest

from bot.profile import ALLOWED, BadSetting, Profile, as_told, checked, read_profile
from tests.cli.helix import helix
from tests.tenancy.installation import Installation
from tests.worker.test_processes import open_city

_GOOD = {
    "nome_agente": "Bia", "boas_vindas": "Olá, aqui é a Bia!", "diz_que_e_virtual": "Não",
    "visitas": "sim", "financiamento": "não", "audio": "sim", "visitas_por_horario": "3",
    "lembretes": "não", "lembrete_vespera_h": "19", "lembrete_minimo_h": "2.5",
    "volta_apos_h": "1.5", "fuso": "America/Manaus", "uf": "AM",
    "feriados_da_loja": "24/12, 31/12/2026", "abre_em_feriados": "07/09",
}  # fmt: skip
_BAD = {
    "nome_agente": "x" * 41, "boas_vindas": "x" * 301, "diz_que_e_virtual": "talvez",
    "visitas": "às vezes", "financiamento": "2", "audio": "-", "visitas_por_horario": "51",
    "lembretes": "nunca", "lembrete_vespera_h": "7", "lembrete_minimo_h": "49",
    "volta_apos_h": "0", "fuso": "America/Curitiba", "uf": "XX",
    "feriados_da_loja": "24/12, natal", "abre_em_feriados": "07/09 08/09",
}  # fmt: skip


def test_every_setting_says_what_it_may_be() -> None:
    """What is allowed is taken and read back; what is not is refused with what is allowed."""
    assert set(ALLOWED) == set(Profile.model_fields) == set(_GOOD) == set(_BAD)
    for name, value in _GOOD.items():
        assert read_profile({name: checked(name, f" {value} ")})[1] == ()
        for bad in (_BAD[name], " "):
            with pytest.raises(BadSetting) as refused:
                checked(name, bad)
            assert ALLOWED[name] in str(refused.value)


def test_a_default_is_shown_as_a_row_would_say_it() -> None:
    """And what is unset by default as nothing."""
    assert [as_told(value) for value in (True, False, 1.5, 0, None, "")] == [
        "sim", "não", "1.5", "0", None, None,
    ]  # fmt: skip


async def test_settings_are_set_listed_and_unset(
    installation: Installation, redis_url: str
) -> None:
    """A slip changes nothing and names what is allowed; a row that is no setting is shown."""
    env = {**installation.environment(), "REDIS_URL": redis_url}
    one, other = [str((await installation.create(number)).id) for number in (1, 2)]

    done = await helix("lucas", "set", "--empresa", one, "visitas", "não", "--json", env=env)
    slip = await helix("lucas", "set", "--empresa", one, "uf", "XX", env=env)
    unknown = await helix("lucas", "set", "--empresa", one, "humor", "bom", env=env)
    async with installation.tenancy() as tenancy, tenancy.pools.connection(int(one)) as conn:
        await conn.execute("INSERT INTO lucas_ajustes VALUES ('humor', 'bom', NULL)")
        await conn.execute("INSERT INTO lucas_ajustes VALUES ('volta_apos_h', 'nunca', NULL)")
    shown = await helix("lucas", "show", "--empresa", one, "--json", env=env)
    beside = await helix("lucas", "show", "--empresa", other, "--json", env=env)
    table = await helix("lucas", "show", "--empresa", one, env=env)

    assert (done.code, done.json["value"]) == (0, "não"), done.err
    assert (slip.code, unknown.code) == (2, 2)
    assert "PR" in slip.err
    assert "nome_agente" in unknown.err
    rows = {row["name"]: row for row in shown.json}
    assert (rows["visitas"]["value"], rows["visitas"]["default"], rows["visitas"]["set"]) == (
        "não", "sim", True,
    )  # fmt: skip
    assert (rows["uf"]["set"], rows["nome_agente"]["value"]) == (False, "Lucas")
    assert "nunca" in rows["volta_apos_h"]["problem"]
    assert rows["humor"]["problem"] is not None
    assert not any(row["set"] for row in beside.json)
    assert [line for line in table.out.splitlines() if "visitas_por_horario" in line]

    for name in ("visitas", "humor"):
        assert (await helix("lucas", "unset", "--empresa", one, name, env=env)).code == 0
    again = await helix("lucas", "unset", "--empresa", one, "visitas", env=env)
    wrong = await helix("lucas", "unset", "--empresa", one, "humor", env=env)
    after = {
        row["name"]: row
        for row in (await helix("lucas", "show", "--empresa", one, "--json", env=env)).json
    }
    assert (again.code, wrong.code) == (0, 2)
    assert "was not set" in again.err
    assert after["visitas"]["value"] == "sim"
    assert "humor" not in after
    assert (await helix("lucas", "show", "--empresa", "2147483000", env=env)).code == 1


async def test_a_running_worker_hears_of_it(installation: Installation, redis_url: str) -> None:
    """Not when what it keeps runs out: here that would be in five minutes."""
    changes = {"LUCAS_STOCK_TTL_S": "300"}
    env = {**installation.environment(), "REDIS_URL": redis_url}
    async with open_city(installation, redis_url, changes=changes) as city:
        await city.stack.worker()
        phone, empresa = city.one.phone, str(city.one.empresa_id)

        async def greeting(number: int) -> str:
            await phone.buyer_writes(f"5511980001{number:03}", "oi")
            return (await phone.wait_for(number))[-1].text or ""

        assert "Lucas" in await greeting(1)
        told = await helix("lucas", "set", "--empresa", empresa, "nome_agente", "Bia", env=env)
        assert told.code == 0, told.err
        # The worker hears of it beside its work: a few turns may still be as before.
        greetings = [await greeting(number) for number in range(2, 12)]
        assert "Bia" in greetings[-1]
        assert "Lucas" not in greetings[-1]
