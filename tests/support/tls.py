"""TLS in front of a plain server, with a certificate authority of the test's own.

As `--tls-port` of a server that is built with it.
"""

import contextlib
import datetime
import ipaddress
import select
import socket
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

MODES = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


class Authority:
    """Signs for 127.0.0.1. Clients trust the certificate at `path`, and may show `chain`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.path, self.chain = folder / f"{name}.pem", folder / f"{name}-signed.pem"
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = self._certificate(
            self._name, self._key, x509.BasicConstraints(ca=True, path_length=None)
        )
        self.path.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(self, mutual: bool = False) -> ssl.SSLContext:
        """A server's, with a certificate for 127.0.0.1. `mutual`: it demands a client's as well."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
        signed = self._certificate(subject, key, here).public_bytes(serialization.Encoding.PEM)
        self.chain.write_bytes(key.private_bytes(*MODES) + signed)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(
            self._name, subject, key.public_key(), x509.random_serial_number()
        )
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
            now + datetime.timedelta(hours=1)
        )
        return builder.add_extension(extension, critical=True).sign(self._key, hashes.SHA256())


class Terminator:
    """Context manager on a private port in front of 127.0.0.1:`target`.

    One thread per connection, as OpenSSL needs it.

    Who does not begin with a handshake speaks to the server as it is.
    """

    def __init__(self, target: int, context: ssl.SSLContext) -> None:
        self._target, self._context = target, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Terminator":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        near.settimeout(10)
        with contextlib.suppress(OSError), near:
            secure = near.recv(1, socket.MSG_PEEK) == b"\x16"
            with self._context.wrap_socket(near, server_side=True) if secure else near as client:
                client.settimeout(None)
                with socket.create_connection(("127.0.0.1", self._target)) as far:
                    self._pump(client, far)

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        """Until either end closes."""
        while True:
            decrypted = isinstance(near, ssl.SSLSocket) and near.pending()
            ready = [near] if decrypted else select.select([near, far], [], [])[0]
            for source, sink in ((near, far), (far, near)):
                if source in ready:
                    data = source.recv(65_536)
                    if not data:
                        return
                    sink.sendall(data)
