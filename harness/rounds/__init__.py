"""What happens when: events in, commands out. Pure: no clock, socket, file, thread or global randomness."""
