"""Training: configuration and presets, the loop, and the state that a run resumes from."""
