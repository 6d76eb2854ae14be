"""The contract with gateways without HTTP, used from outside: by nothing but a Redis client."""
