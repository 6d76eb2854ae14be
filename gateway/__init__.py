"""How each WhatsApp gateway speaks: verify, parse, send. Pure adapters; no queue, no database.

One folder per gateway, all found through `gateway.adapters.ADAPTERS`. Called by `worker`.
"""
