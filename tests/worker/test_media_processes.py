"""Files and audio on real processes and both gateways, with a real kill."""

from __future__ import annotations

import base64
from pathlib import Path

from gateway.cloud_api.standin import CloudStandin
from gateway.evolution.standin import EvolutionStandin
from tests.tenancy.installation import Installation
from tests.worker.test_media import PHOTO, VOICE
from tests.worker.test_processes import BUYERS, open_city
from tests.worker.transcriber import KEY, listening
from worker.media.store import digest_of, key_of


def kept_below(root: Path) -> set[str]:
    """Keys of the files in a store's folder."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


async def test_a_worker_killed_while_files_come_keeps_each_once(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """SIGKILL in the middle of two downloads: the next worker fetches them, once each."""
    changes = {"WORKER_LEASE_S": "2", "MEDIA_STORE": str(tmp_path)}
    async with open_city(installation, redis_url, changes=changes) as city:
        cloud, evolution = city.one.phone, city.two.phone
        assert isinstance(cloud, CloudStandin)
        assert isinstance(evolution, EvolutionStandin)
        image = {"url": "https://mmg.whatsapp.net/f.enc", "mimetype": "image/jpeg"}
        evolution.keep("m1", PHOTO, "image/jpeg")
        for phone in (cloud, evolution):
            phone.files_flow.clear()
        worker = await city.stack.worker()
        await cloud.buyer_sends(
            BUYERS[0], {"type": "image", "image": cloud.keep(PHOTO, "image/jpeg")}
        )
        await evolution.buyer_sends(BUYERS[0], {"imageMessage": image}, message_id="m1")
        for phone in (cloud, evolution):
            await phone.wait_for_file_requests(1)
        worker.kill()
        for phone in (cloud, evolution):
            phone.files_flow.set()
        await city.stack.worker()

        async def kept() -> bool:
            where = "midia_hash IS NOT NULL AND midia_em IS NULL"
            return [await dealer.count(where) for dealer in city.dealers] == [1, 1]

        await city.stack.until(kept)
        assert kept_below(tmp_path) == {
            key_of(dealer.empresa_id, digest_of(PHOTO)) for dealer in city.dealers
        }


async def test_an_audio_is_answered_by_what_it_says(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    """From the gateway's file, or from the webhook's own body, to Lucas and back to the buyer."""
    async with listening() as ears:
        ears.says[VOICE] = "Oi, tem argo?"
        changes = {
            "MEDIA_STORE": str(tmp_path),
            "TRANSCRIBE_URL": ears.url,
            "TRANSCRIBE_KEY": KEY,
        }
        async with open_city(installation, redis_url, changes=changes) as city:
            cloud, evolution = city.one.phone, city.two.phone
            assert isinstance(cloud, CloudStandin)
            assert isinstance(evolution, EvolutionStandin)
            await city.stack.worker()
            await cloud.buyer_sends(
                BUYERS[0], {"type": "audio", "audio": cloud.keep(VOICE, "audio/ogg")}
            )
            voice = {"url": "https://mmg.whatsapp.net/f.enc", "mimetype": "audio/ogg", "ptt": True}
            await evolution.buyer_sends(
                BUYERS[0],
                {"audioMessage": voice, "base64": base64.b64encode(VOICE).decode()},
            )
            for phone in (cloud, evolution):
                (answer,) = await phone.wait_for(1, timeout_s=20)
                assert "R$ 69.900" in (answer.text or "")
        assert (cloud.files_asked, evolution.files_asked) == (1, 0)
