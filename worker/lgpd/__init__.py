"""One person's data (LGPD, art. 18): found, given out and erased, wherever it lies."""
