"""Recording: what a real server answered, read by the dialect's table, becomes a script for the fake one."""
