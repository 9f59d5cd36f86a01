"""Boot media and answer media: what they are, and how they are made."""
