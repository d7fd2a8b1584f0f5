"""What can stop a run: one class per thing an operator would do differently.

A bad *event* is never an exception; it is counted under its reason. These are for what stops a
command. A message says what, where, what was found, what was expected and the remedy, in one line,
because the command line prints exactly that line.
"""


class DetectorError(Exception):
    """Something stops this run, and the message says what to do about it."""

    exit_code = 70


class InputError(DetectorError):
    """What the user handed over cannot be used: the command ends with exit code 2."""

    exit_code = 2


class ConfigError(InputError):
    """The configuration file is wrong: edit it."""


class BaselineError(InputError):
    """The baseline file is missing, damaged or of another format: rebuild it."""


class DataError(InputError):
    """A data file cannot be read: mend the file or name another."""


class SourceError(DetectorError):
    """The event source cannot go on; starting again may help."""


class StateError(InputError):
    """What was kept of an earlier run cannot be read or written: see to the directory, or move it away."""
