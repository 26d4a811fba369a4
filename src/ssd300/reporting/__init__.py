"""What people look at: pictures with boxes on them."""
