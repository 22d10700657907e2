"""An API server over HTTP that knows the lists of HPAs and ScaledObjects of namespace `ml`, with a kubeconfig to it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import yaml

from tests.fakes.scaler_documents import Object

HPAS = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
POLICIES = "/apis/foretide.dev/v1alpha1/namespaces/ml/forecastpolicies"
SCALED_OBJECTS = "/apis/keda.sh/v1alpha1/namespaces/ml/scaledobjects"


class ListServer:
    """Serves lists, and nothing else: whatever is no GET is refused."""

    def __init__(self, folder: Path) -> None:
        self.lists: dict[str, list[Object]] = {HPAS: [], SCALED_OBJECTS: []}
        self.refused: set[str] = set()
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listed = cluster.lists.get(self.path)
                status = 403 if self.path in cluster.refused else 404 if listed is None else 200
                # as Kubernetes does, without version and kind in each
                bare = [{key: each[key] for key in each if key not in ("apiVersion", "kind")} for each in listed or ()]
                body = json.dumps({"items": bare} if status == 200 else {"kind": "Status"}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.kubeconfig = folder / "kubeconfig"
        reached = {"server": f"http://127.0.0.1:{self._server.server_port}"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": reached}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        self.kubeconfig.write_text(yaml.safe_dump(document))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
