"""What every method must do for its callers, checked from outside: none of its claims is believed."""
