"""Bouquets for pmg-sdk: every keyword is a flower."""
