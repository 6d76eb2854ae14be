"""From the inbox into the dealer's database, and a turn for each conversation that is due."""
