"""The worker's own side of Python: what it prepares before scripts run, and what it calls to run them."""
