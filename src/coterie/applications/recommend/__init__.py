"""Recommendation: what to suggest to whom, and why."""

from .recommender import ClusterRecommender

__all__ = ["ClusterRecommender"]
