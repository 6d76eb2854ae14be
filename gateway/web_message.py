"""What gateways on WhatsApp Web share of a message: its wrappers, its ad, the answer to a flow.

Called by the `content` of Evolution and WAHA. Source: the message definitions of Baileys (WAProto);
engines in Go spell some of the same names differently (`remoteJID` for `remoteJid`).
"""

from __future__ import annotations

from gateway import fields
from gateway.errors import NotJson
from gateway.json import loads
from schema.events import Ad

_LONGEST_PARAMS = 8192
"""Bytes of a flow's answer that we look into for an id; senders can make it a megabyte."""
_WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "deviceSentMessage",
    "editedMessage",
    "lottieStickerMessage",
)
TECHNICAL = frozenset(
    {
        "protocolMessage",
        "senderKeyDistributionMessage",
        "albumMessage",
        "pollUpdateMessage",
        "keepInChatMessage",
        "pinInChatMessage",
        "encReactionMessage",
    }
)
"""Contents that no person wrote."""


def unwrapped(message: object) -> list[dict[str, object]]:
    """The message and what each wrapper around it holds, outermost first; no recursion."""
    layers = [fields.obj(message)]
    while True:
        wrapper = next(
            (layers[-1].get(n) for n in _WRAPPERS if layers[-1].get(n) is not None), None
        )
        inner = fields.obj(wrapper).get("message")
        if not isinstance(inner, dict):
            return layers
        layers.append(inner)


def is_from_ad(context: dict[str, object]) -> bool:
    """Whether a contextInfo says that the buyer came by an ad."""
    if "status@broadcast" in (context.get("remoteJid"), context.get("remoteJID")):
        return False  # an answer to our own story, which may itself show an ad
    ad = fields.obj(context.get("externalAdReply"))
    return (
        ad.get("showAdAttribution") is True
        or ad.get("sourceType") == "ad"
        or bool(ad.get("ctwaClid"))
        or context.get("conversionSource") == "FB_Ads"
        or context.get("entryPointConversionSource") == "ctwa_ad"
    )


def ad_of(context: dict[str, object]) -> Ad:
    """What a contextInfo tells of the ad; newer accounts tell only that there was one."""
    told = fields.obj(context.get("externalAdReply"))
    return Ad(
        source_id=fields.ident(told.get("sourceId") or told.get("sourceID")),
        source_url=fields.media(told.get("sourceUrl") or told.get("sourceURL")),
        headline=fields.label(told.get("title")),
        body=fields.label(told.get("body")),
        ctwa_clid=fields.ident(told.get("ctwaClid")),
    )


def flow_choice(flow: dict[str, object]) -> str | None:
    """What was tapped in a native flow: the id in its answer, else the flow's own name."""
    params = flow.get("paramsJson") or flow.get("paramsJSON")
    return _id_in(params) or fields.label(flow.get("name"))


def _id_in(params: object) -> str | None:
    if not isinstance(params, str) or len(params) > _LONGEST_PARAMS:
        return None
    try:
        return fields.label(fields.obj(loads(params.encode("utf-8", "replace"))).get("id"))
    except NotJson:
        return None
