"""From images and videos to boxes in their own pixels, and to the files that hold them."""
