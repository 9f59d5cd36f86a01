"""What operators ask for: one function a verb."""
