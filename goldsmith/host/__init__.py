"""This machine: processes, signals, files, and what is printed."""
