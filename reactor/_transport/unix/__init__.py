"""What is UNIX about streams and datagrams: paths, locks, passed descriptors."""
