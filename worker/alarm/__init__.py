"""Sees to it that nobody waits unseen: looks at the fleet, opens alarms, tells people of them."""
