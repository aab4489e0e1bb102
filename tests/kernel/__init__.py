"""The kernel of this machine as a second implementation: runs of the model played against it."""
