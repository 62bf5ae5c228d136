"""Thin readers: files below a root, sockets, a few commands; each gives facts and judges nothing."""
