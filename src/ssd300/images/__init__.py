"""An image file to RGB pixels, to the network's size, and back to an image that people look at."""
