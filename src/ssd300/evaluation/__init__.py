"""From weights or stored predictions and a dataset to a Report, and what else can be said of it."""
