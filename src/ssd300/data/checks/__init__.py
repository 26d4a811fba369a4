"""What `ssd300 check` looks for in annotations, images and folders."""
