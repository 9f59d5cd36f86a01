"""The record of a template: gathered, written, and shown."""
