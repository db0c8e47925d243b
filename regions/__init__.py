"""The door of `regions`: what differs between provinces. Facts, no flow, no network, no clock.

Knows places, numbers, the catalogue, guides, competence, working days and decision rules as
frozen values, and the data files a province's clerk edits. Must not know the bus, messages,
databases or cases; imports none of ours. Time is always an argument.
"""
