"""What people and programs read: records of evaluations, alerts and comparisons."""
