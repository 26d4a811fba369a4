"""Who may call which address, and what the application serves beside the API."""

import pytest

from serving import AS_JPEG, JPEG, client_of


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e%2fapp.py", 404),
        ("GET", "/static/nothing.js", 404),
        ("GET", "//etc/passwd", 404),
        ("DELETE", "/v1/detect", 405),
        ("POST", "/v1/model", 405),
        ("PUT", "/", 405),
    ],
)
def test_unknown_addresses_and_methods_are_errors(method, path, status, client):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) == (status == 405)


def test_the_api_needs_the_token_and_the_page_does_not(detector):
    with client_of(detector, token="open sesame") as client:
        for path in ("/v1/model", "/metrics"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer shut"}).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer open sesame"}).status_code == 200
        refused = client.post("/v1/detect", content=JPEG, headers=AS_JPEG)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_pages_of_other_servers_are_allowed_only_by_name(detector):
    asked = {"Origin": "https://example.org"}
    with client_of(detector) as client:
        assert "access-control-allow-origin" not in client.get("/v1/model", headers=asked).headers
    with client_of(detector, cors_origins=("https://example.org",), token="t") as client:
        assert client.get("/healthz", headers=asked).headers["access-control-allow-origin"] == "https://example.org"
        preflight = asked | {"Access-Control-Request-Method": "POST"}
        assert client.options("/v1/detect", headers=preflight).status_code == 200
        other = client.get("/healthz", headers={"Origin": "https://example.com"})
        assert "access-control-allow-origin" not in other.headers


def test_behind_a_proxy_addresses_begin_with_the_root_path(detector):
    """A proxy may take the path off or leave it; some leave two slashes."""
    with client_of(detector, root_path="/a/b", token="t") as client:
        for path in ("/a/b/v1/model", "/v1/model", "http://testserver//v1/model"):
            assert client.get(path).status_code == 401, path
            assert client.get(path, headers={"Authorization": "Bearer t"}).status_code == 200, path
        for path in ("/a/b/openapi.json", "/openapi.json"):
            assert client.get(path).json()["servers"] == [{"url": "/a/b"}]
        for path in ("/a/b", "/a/b/", "/", "http://testserver//", "/a/b/docs", "/docs"):
            answer = client.get(path, follow_redirects=False)
            assert (answer.status_code, '<base href="/a/b/">' in answer.text) == (200, True), path
        for path in ("/a/bv1/model", "/a/v1/model", "/a/b/a/b/v1/model", "/a/b/static/nothing.js"):
            assert client.get(path).status_code == 404, path


def test_without_a_root_path_links_are_relative(client):
    """So that the page also works below a path of which the server knows nothing."""
    assert "<base" not in client.get("/").text


def test_names_of_websites_are_refused_everywhere(detector):
    with client_of(detector, allow_hosts=("detector.example.org",)) as client:
        for path in ("/", "/v1/model", "/healthz", "/static/page.js", "/openapi.json"):
            assert client.get(path, headers={"Host": "detector.example.org"}).status_code == 200, path
            refused = client.get(path, headers={"Host": "evil.example"})
            assert refused.status_code == 421, path
            assert "default-src 'none'" in refused.headers["content-security-policy"]


def test_the_page_loads_nothing_from_the_web(client):
    for path in ("/", "/docs", "/static/page.js", "/static/page.css", "/static/swagger-ui-bundle.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        if "swagger" not in path:
            assert "https://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
