"""What the service worker of a page without a server keeps."""

import base64
import hashlib
import json

KEPT = """async () => {
  const names = await caches.keys();
  const counts = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).length));
  return Object.fromEntries(names.map((name, number) => [name, counts[number]]));
}"""  # in the page: the number of files by the cache's name


def kept_files(site):
    """What `files.js` says: {version, files, webgpu}."""
    script = (site / "static/files.js").read_text()
    return json.loads(script.partition("self.SITE = ")[2].rstrip(";\n"))


def checksum(path) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()}"


def note_change(site, name, **more):
    """Let `files.js` know of a file that was changed."""
    kept = kept_files(site) | more
    kept["files"][name] = checksum(site / name)
    (site / "static/files.js").write_text(f"self.SITE = {json.dumps(kept)};\n")
