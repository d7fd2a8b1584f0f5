"""What breaks, and what must hold then: see docs/promises.md. `make faults` is the long form."""
