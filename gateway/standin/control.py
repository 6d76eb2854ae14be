"""Drives a stand-in over HTTP from another process. Called by `base`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web

from gateway import fields

if TYPE_CHECKING:
    from gateway.standin.base import Standin


def control_routes(standin: Standin) -> Iterable[web.RouteDef]:
    """A buyer writes, a seller writes, and what has reached the phones."""

    async def buyer(request: web.Request) -> web.Response:
        body = await standin.body_of(request)
        message_id = await standin.buyer_writes(
            fields.text(body.get("phone")) or "",
            fields.text(body.get("text")) or "",
            message_id=fields.text(body.get("message_id")),
            name=fields.text(body.get("name")) or "Comprador",
            duplicate=body.get("duplicate") is True,
        )
        return web.json_response({"message_id": message_id})

    async def seller(request: web.Request) -> web.Response:
        body = await standin.body_of(request)
        phone, text = fields.text(body.get("phone")), fields.text(body.get("text"))
        return web.json_response(
            {"message_id": await standin.seller_writes(phone or "", text or "")}
        )

    async def outbox(request: web.Request) -> web.Response:
        """?after=N&timeout_s=S: the messages past the first N, as soon as there is one."""
        after = fields.code(request.query.get("after", "0")) or 0
        timeout_s = fields.code(request.query.get("timeout_s", "0")) or 0
        try:
            sent = await standin.wait_for(after + 1, timeout_s)
        except TimeoutError:
            sent = list(standin.outbox)
        return web.json_response([asdict(one) for one in sent[after:]])

    return (
        web.post("/_standin/buyer", buyer),
        web.post("/_standin/seller", seller),
        web.get("/_standin/outbox", outbox),
    )
