"""Door 2: programs with a key. Routes parse, make one call of billing and return JSON; refusals are problem details."""
