"""A child process that learns, and who started it: frames over its pipes, how it ends, and how its parent tells why."""
