"""What the gateway is measured beside: an emulator of DescribeCacheClusters, in the way in which
Python programs are written that emulate AWS.

It has the clusters in memory as dictionaries, reads the request as a form, and writes the answer
member by member: nothing else. There is no signature, no other action, no record on a disk, and no
framework, each of which would cost time. A whole emulator has them.

    python3 python_peer.py CLUSTERS PORT_FILE

CLUSTERS is an answer of the gateway's that has all of the clusters; the port is written to
PORT_FILE.
"""

import http.server
import os
import sys
import urllib.parse
import uuid
import xml.etree.ElementTree as etree
from xml.sax.saxutils import escape

NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/"


def as_data(element):
    """Text, or a list of names with what is in them."""
    if len(element) == 0:
        return element.text or ""
    return [(child.tag.rpartition("}")[2], as_data(child)) for child in element]


def write(name, data, parts):
    if isinstance(data, str):
        parts.append(f"<{name}>{escape(data)}</{name}>" if data else f"<{name}/>")
        return
    parts.append(f"<{name}>")
    for inner, value in data:
        write(inner, value, parts)
    parts.append(f"</{name}>")


class Clusters:
    def __init__(self, path):
        root = etree.parse(path).getroot()
        self.by_id = {}
        for cluster in root.iter(f"{{{NAMESPACE}}}CacheCluster"):
            data = as_data(cluster)
            self.by_id[dict(data)["CacheClusterId"]] = data
        self.ids = sorted(self.by_id)

    def describe(self, form):
        wanted = form.get("CacheClusterId", [None])[0]
        with_nodes = form.get("ShowCacheNodeInfo", ["false"])[0] == "true"
        marker = None
        if wanted is not None:
            chosen = [wanted] if wanted in self.by_id else []
        else:
            after = form.get("Marker", [""])[0]
            rest = [name for name in self.ids if name > after]
            count = int(form.get("MaxRecords", ["100"])[0])
            chosen = rest[:count]
            marker = chosen[-1] if len(rest) > count else None
        parts = [f'<DescribeCacheClustersResponse xmlns="{NAMESPACE}">',
                 "<DescribeCacheClustersResult>"]
        if marker:
            parts.append(f"<Marker>{escape(marker)}</Marker>")
        parts.append("<CacheClusters>")
        for name in chosen:
            data = self.by_id[name]
            if not with_nodes:
                data = [item for item in data if item[0] != "CacheNodes"]
            write("CacheCluster", data, parts)
        parts.append("</CacheClusters></DescribeCacheClustersResult><ResponseMetadata><RequestId>"
                     f"{uuid.uuid4()}</RequestId></ResponseMetadata>"
                     "</DescribeCacheClustersResponse>")
        return "".join(parts).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    clusters = None

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.answer(self.rfile.read(length).decode())

    def do_GET(self):
        self.answer(urllib.parse.urlsplit(self.path).query)

    def answer(self, text):
        form = urllib.parse.parse_qs(text)
        if form.get("Action") != ["DescribeCacheClusters"]:
            self.send_error(400)
            return
        body = self.clusters.describe(form)
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    clusters, port_file = sys.argv[1:]
    Handler.clusters = Clusters(clusters)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(port_file + ".new", "w", encoding="ascii") as file:
        file.write(str(server.server_port))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
