"""One module per format in which people keep annotations: each turns files into annotations, and back."""
