"""An OCI registry on loopback, fed from the embedded account: what the account's tokens open."""

from ecr_feed.embedded.registry.authority import Authority
from ecr_feed.embedded.registry.embedded import EmbeddedRegistry
from ecr_feed.embedded.registry.proxy import ConnectProxy, Tunnel
from ecr_feed.embedded.registry.server import App, TlsServer

__all__ = ["App", "Authority", "ConnectProxy", "EmbeddedRegistry", "TlsServer", "Tunnel"]
