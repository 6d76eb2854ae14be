"""The shapes that every other room agrees on: events, replies, channels, errors, SQL migrations.

Imports nothing of the other rooms.
"""
