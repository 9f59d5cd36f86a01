"""The stages of a build, a module each; they do not know each other."""
