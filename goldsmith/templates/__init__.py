"""What becomes of a template once it is built."""
