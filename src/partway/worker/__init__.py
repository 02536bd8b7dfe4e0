"""The door of the clock and the operator: the worker's jobs, commands, supervisor, monitoring, demo, tour and seed."""
