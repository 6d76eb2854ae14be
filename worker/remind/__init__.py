"""Reminds buyers of their appointments."""
