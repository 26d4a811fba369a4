"""What people look at: the HTML report, its plots and its galleries."""
