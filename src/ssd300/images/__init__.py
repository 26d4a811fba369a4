"""Images: read from files as RGB pixels, resized for the network, drawn on."""
