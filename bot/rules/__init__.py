"""What Lucas does with what he has read: one module for each kind of wish."""
