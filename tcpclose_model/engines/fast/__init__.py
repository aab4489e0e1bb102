"""The fast engine: tables of two ends and one compiled kernel that knows nothing of TCP.

Everything here needs numpy and numba (the extra `fast`); nothing outside imports it before a
model turns out to be large.
"""
