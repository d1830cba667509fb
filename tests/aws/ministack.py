"""Starts MiniStack for tools of this folder, and stops it again."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

import template as templates

PROGRAM = templates.ROOT / "target/aws/venv/bin/ministack"
READY_S = 30


@contextlib.contextmanager
def running():
    """The address of a fresh stand-in. Nothing it writes outlives it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="deskup-aws-") as folder:
        log = pathlib.Path(folder, "ministack.log")
        # Functions get its whole environment, so it gets nothing of ours. Without an address of its own, the SDK in
        # a function would call AWS itself; without BIND_HOST it would listen on every address of the machine.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "TMPDIR": folder,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "AWS_ENDPOINT_URL": endpoint,
            "MINISTACK_HOST": "localhost",
            "LAMBDA_EXECUTOR": "local",
        }
        with log.open("w") as out:
            server = subprocess.Popen([PROGRAM], env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_until_ready(server, endpoint, log)
            yield endpoint
        finally:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_until_ready(server, endpoint, log):
    end = time.monotonic() + READY_S
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2)
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"MiniStack did not start:\n{log.read_text()[-2000:]}")
