"""Uses the tenant pools at random and cancels at every await: `make fuzz-pools`."""
