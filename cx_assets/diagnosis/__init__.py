"""What a run would make of a dataset, found out without writing: `cx doctor`."""
