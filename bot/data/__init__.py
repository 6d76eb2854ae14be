"""Words and names that Lucas knows, as TOML that a person extends without code."""
