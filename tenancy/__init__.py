"""Which database belongs to which empresa: registry, credentials, pool manager, provisioning.

The only room that knows passwords and raw connections.
"""
