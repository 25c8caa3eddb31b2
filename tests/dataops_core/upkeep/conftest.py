"""What is kept up: datasets as the steps make them, on real files and a real connector service."""

from tests.dataops_core.provisioning.conftest import Case, Journey, accept, journey, services

__all__ = ["Case", "Journey", "accept", "journey", "services"]
