"""What the project costs in time and memory, against a plain script and at several times the events: `make bench`."""
