"""The terminal chat: a whole installation on this machine, and a buyer's phone to talk to it.

`python -m dev.chat` starts it; `dev.demo` plays on the same pieces.
"""
