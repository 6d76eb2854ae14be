"""The agenda: when the store is open, what a buyer's day and time mean, what may be booked."""
