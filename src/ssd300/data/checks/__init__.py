"""What `ssd300 check` finds in annotations, images and folders."""
