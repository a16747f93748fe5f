"""An OCI registry on loopback that serves the embedded account's images."""

from ecr_feed.embedded.registry.authority import Authority
from ecr_feed.embedded.registry.embedded_registry import PULLS, EmbeddedRegistry
from ecr_feed.embedded.registry.tls_server import App, TlsServer

__all__ = ["PULLS", "App", "Authority", "EmbeddedRegistry", "TlsServer"]
