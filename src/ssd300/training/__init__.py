"""Training: configuration, the loop, and the state that it goes on from."""
