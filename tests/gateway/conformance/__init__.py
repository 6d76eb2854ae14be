"""What every gateway must pass. A new one adds no line here: ADAPTERS, STANDINS and its recorded
bodies in tests/gateway/fixtures/<tipo> say all that this suite asks.
"""
