"""Checks that need the toolbox: run by noxfile.py as modules, they print what they check and fail loudly."""
