"""The life of an online payment: start, refresh, booking, callbacks."""
