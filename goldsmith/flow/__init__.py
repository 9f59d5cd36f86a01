"""The order of a build, from plan to finished template."""
