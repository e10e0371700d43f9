"""The worker's own Python modules: preparation of the interpreter, and execution of scripts."""
