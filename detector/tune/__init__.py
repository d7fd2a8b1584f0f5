"""Rehearsal on recorded events: which alarms settings would have raised, and which settings suit.

    outcomes of the pipeline -> rehearsal (traffic, movement, alert books of a grid) -> advice

Everything is summed up as it comes; what is kept does not grow with the length of the history.
"""
