"""What the suite costs beside its tools, measured on the lab: ``python -m tests.bench``."""
