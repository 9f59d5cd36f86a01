"""The simulated vCenter with real guests, as containers on this machine."""
