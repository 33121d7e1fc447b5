"""Ready-made protocols that ride on the reactor.

Each module is one protocol or one way to wrap others, under the name that it has in ``twisted.protocols``. This package
imports ``reactor``; ``reactor`` never imports this package.
"""
