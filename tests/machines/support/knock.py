"""Sends a packet to every port that it is told, whatever answers: knock.py JSON {"addresses", "tcp", "udp"}."""
import json
import socket
import sys
import time

told = json.loads(sys.argv[1])
BATCH = 400

# Twice, since a machine whose link address is not known yet keeps few packets waiting.
for _ in range(2):
    for address in told["addresses"]:
        ends = [(socket.SOCK_STREAM, port) for port in told["tcp"]] + [(socket.SOCK_DGRAM, port) for port in told["udp"]]
        for start in range(0, len(ends), BATCH):
            open_sockets = []
            for kind, port in ends[start:start + BATCH]:
                one = socket.socket(socket.AF_INET, kind)
                one.setblocking(False)
                try:
                    one.connect((address, port))
                    if kind == socket.SOCK_DGRAM:
                        one.send(b"knock")
                except OSError:
                    pass
                open_sockets.append(one)
            time.sleep(0.02)
            for one in open_sockets:
                one.close()
    time.sleep(0.3)
