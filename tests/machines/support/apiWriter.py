"""
A client of a Kubernetes API that never rests: it creates one object after the other and says on its output what each
attempt came to, a line of JSON each. Its input is one JSON document: endpoints, ca, certificate, key, namespace, prefix.

It uses one connection as long as it works, as clients do; after a failure it connects to the next endpoint. An attempt
without an answer in time may have been done or not, so its name is never used again.
"""

import http.client
import json
import ssl
import sys
import tempfile
import time

PATIENCE = 2
INTERVAL = 0.1

access = json.load(sys.stdin)
context = ssl.create_default_context(cadata=access["ca"])
with tempfile.NamedTemporaryFile("w") as pair:
    pair.write(access["certificate"] + "\n" + access["key"])
    pair.flush()
    context.load_cert_chain(pair.name)
path = "/api/v1/namespaces/%s/configmaps" % access["namespace"]
connection = None
turn = 0


def write(name):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"name": name}}
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    return None if answer.status == 201 else "%s %s" % (answer.status, text[:200])


number = 0
while True:
    start = time.time()
    number += 1
    name = "%s-%d" % (access["prefix"], number)
    endpoint = access["endpoints"][turn % len(access["endpoints"])]
    try:
        if connection is None:
            connection = http.client.HTTPSConnection(endpoint, timeout=PATIENCE, context=context)
        problem = write(name)
    except (OSError, http.client.HTTPException) as error:
        problem = "%s: %s" % (endpoint, error or type(error).__name__)
    if problem is not None:
        if connection is not None:
            connection.close()
        connection = None
        turn += 1
    print(json.dumps({"name": name, "at": time.time(), "problem": problem}), flush=True)
    time.sleep(max(0, INTERVAL - (time.time() - start)))
