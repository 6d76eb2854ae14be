"""Stand-ins: small servers that speak to us as the real gateways do, for tests and the demo.

Each one serves the gateway's send API on loopback and is at the same time the phone of every
buyer and of the seller, whose messages it pushes to our webhook.
"""
