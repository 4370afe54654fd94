"""Serves moto on a free port of the loopback, prints the port, and ends when its standard input does.

That end comes with the process that started it, however that one ends: nothing is left running.
"""

import logging
import sys

from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
