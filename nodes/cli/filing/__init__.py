"""What is to be filed: from flags or from a file of many, to NewFiling messages and back to results.

Knows columns, encodings, materials on disk and the journal of results. Must not know screens.
"""
