"""The loop and the kernel facilities it stands on; private to the package."""
