"""The container that holds the tools: what goes into it, how it is built and run, and the engine it needs."""
