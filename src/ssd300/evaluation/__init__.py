"""From weights or stored predictions and a dataset to a Report, and its analysis, comparison and verification."""
