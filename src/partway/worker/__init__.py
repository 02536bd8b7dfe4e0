"""Door 4: the clock and the operator; jobs, commands, supervisor, tour, seed."""
