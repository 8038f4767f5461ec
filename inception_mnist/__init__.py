"""Inception modules, explained and implemented: on MNIST."""
