"""`make chaos`: the product under kills, stops, restarts and partitions; then all is counted.

See docs/chaos.md. Everything runs on servers of its own; nothing of it touches another run.
"""
