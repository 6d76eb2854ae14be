"""`helix lgpd`, by processes of its own."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from zipfile import ZipFile

from tests.cli.helix import helix
from tests.worker.shop import Shop, event

PHONE, TYPED = "5511987650001", "(11) 98765-0001"
NAME = "Fulana de Tal"


def environment(shop: Shop) -> dict[str, str]:
    """As an operator has it."""
    url = shop.settings.worker.redis_url.get_secret_value()
    return {**shop.installation.environment(), "REDIS_URL": url, "MEDIA_STORE": str(shop.files)}


async def test_a_person_is_planned_exported_and_erased(shop: Shop, tmp_path: Path) -> None:
    """With a certificate and a list that name nobody; without a yes nothing is erased."""
    await shop.handle(event("quero um Onix", phone=PHONE, reply_to=PHONE, push_name=NAME))
    env, empresa = environment(shop), f"--empresa={shop.empresa_id}"

    planned = await helix("lgpd", "erase", TYPED, empresa, "--plan", "--json", env=env)
    refused = await helix("lgpd", "erase", TYPED, empresa, env=env)
    place = tmp_path / "dados.zip"
    exported = await helix("lgpd", "export", TYPED, empresa, f"--to={place}", "--json", env=env)
    again = await helix("lgpd", "export", TYPED, empresa, f"--to={place}", env=env)
    assert (planned.code, refused.code, exported.code, again.code) == (0, 2, 0, 2)
    assert planned.json["mensagens"] == 2
    assert "--yes" in refused.err
    assert len(await shop.rows("SELECT id FROM mensagens")) == 2
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with ZipFile(place) as archive:
        data = json.loads(archive.read("dados.json"))
        page = archive.read("leia.html").decode()
    assert data["customers"][0]["name"] == NAME
    assert NAME in page
    assert "quero um Onix" in page

    paper = tmp_path / "certificado.json"
    erased = await helix(
        "lgpd", "erase", "-", empresa, "--yes", f"--certificate={paper}", "--json",
        env=env, given=f"{TYPED}\n",
    )  # fmt: skip
    listed = await helix("lgpd", "list", empresa, "--json", env=env)

    assert erased.code == 0, erased.err
    assert erased.json["erased"]["mensagens"] == 2
    assert json.loads(paper.read_text()) == erased.json
    assert await shop.rows("SELECT id FROM customers") == []
    assert [row["kind"] for row in listed.json] == ["exportacao", "eliminacao"]
    for told in (planned, refused, exported, again, erased, listed):
        assert PHONE not in told.out + told.err
        assert NAME not in told.out + told.err


async def test_wrong_usage_says_what_is_wrong(shop: Shop) -> None:
    """Before anything is touched, and without repeating a number."""
    env = environment(shop)
    number = await helix("lgpd", "erase", "11987650001", f"--empresa={shop.empresa_id}", env=env)
    nobody = await helix("lgpd", "erase", TYPED, "--empresa=999999999", "--plan", env=env)
    days = await helix(
        "lgpd", "retention", f"--empresa={shop.empresa_id}", "--media-days=-3", env=env
    )

    assert (number.code, nobody.code, days.code) == (2, 1, 2)
    assert "with its country" in " ".join(number.err.split())
    assert "11987650001" not in number.err
    assert "there is no empresa" in nobody.err


async def test_a_dealer_has_days_of_his_own(shop: Shop) -> None:
    """Set, shown and given back to the default; what is not named stays as it is."""
    env, args = environment(shop), ("lgpd", "retention", f"--empresa={shop.empresa_id}", "--json")
    await helix(*args, "--messages-days=365", "--count-visits=yes", env=env)
    changed = await helix(*args, "--dead-letters-days=0", env=env)
    back = await helix(*args, "--messages-days=default", env=env)

    assert changed.json["messages_days"] == {"holds": 365, "own": True}
    assert changed.json["dead_letters_days"] == {"holds": 0, "own": True}
    assert back.json["messages_days"] == {"holds": 0, "own": False}
    assert back.json["count_visits"] == {"holds": True, "own": True}
