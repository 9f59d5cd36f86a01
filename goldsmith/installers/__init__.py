"""Unattended installers: one folder each, behind the Protocol of ``door``."""
