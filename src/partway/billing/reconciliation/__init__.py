"""Work that is due by time: unsettled payments, callbacks, expiry, and the gateway's list."""
