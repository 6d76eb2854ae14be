"""How Lucas reads what buyers write: text in, meaning out. Knows words, not conversations."""
