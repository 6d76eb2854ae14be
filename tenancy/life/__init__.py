"""What is done to a dealer as a whole: backup, restore, move, deletion. Used by `helix empresa`.

Each is an operation with a ledger of steps in the central database (`ledger`); killed anywhere, the
same command goes on where it was.
"""
