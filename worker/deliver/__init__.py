"""From the dealer's database out through the gateways."""
