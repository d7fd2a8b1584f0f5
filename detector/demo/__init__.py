"""The main job on shipped real data: flights out of New York, with faults injected at known times."""
