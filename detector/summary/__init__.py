"""Descriptive statistics of a data set, column by column, in bounded memory."""
