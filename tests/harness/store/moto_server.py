"""Serves moto on a free port of the loopback, prints the port, and ends when its standard input does.

That end comes with the process that started it, however that one ends: nothing is left running.
"""

import logging
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
# One request at a time: moto's writes are not atomic to each other, and DynamoDB's are.
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
