"""A CKAN portal to push to: CKAN's own application on PostgreSQL, its search index stubbed.

    python benchmarks/peers/ckan_portal.py CKAN.INI PORT

Run it with the Python of an environment that has ``ckan[requirements]`` (tried with 2.12.0); the
database of CKAN.INI exists and ``ckan -c CKAN.INI db init`` has run.  Prints the token of a fresh
administrator of the organisation ``test-org`` and serves until it is stopped.  Nothing of Solr or
Redis is needed: whatever would be indexed is left out, so searching the portal does not work.
"""

from __future__ import annotations

import sys
import uuid
from unittest import mock
from wsgiref.simple_server import make_server

import ckan.lib.redis
import ckan.lib.search
import ckan.lib.search.common
import ckan.lib.search.index
import ckan.lib.search.query
from ckan import logic, model
from ckan.cli import load_config
from ckan.config.middleware import make_app


def main() -> None:
    """Serve the portal."""
    ini, port = sys.argv[1], int(sys.argv[2])
    for name in ("is_available", "check_solr_schema_version"):
        if hasattr(ckan.lib.search, name):
            setattr(ckan.lib.search, name, lambda *_a, **_k: True)
    ckan.lib.redis.is_redis_available = lambda *_a, **_k: True
    index = ckan.lib.search.index.PackageSearchIndex
    for name in ("index_package", "update_dict", "remove_dict", "delete_package", "commit"):
        if hasattr(index, name):
            setattr(index, name, lambda *_a, **_k: None)
    query = ckan.lib.search.query.PackageSearchQuery
    query.run = lambda *_a, **_k: {"count": 0, "results": [], "facets": {}}
    app = make_app(load_config(ini))
    with app.test_request_context() if hasattr(app, "test_request_context") else mock.MagicMock():
        admin = logic.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
        context = {"ignore_auth": True, "user": admin, "model": model}
        name = f"u{uuid.uuid4().hex[:8]}"
        password = uuid.uuid4().hex
        given = {"name": name, "email": f"{name}@example.org", "password": password}
        logic.get_action("user_create")(dict(context), given)
        if model.Group.get("test-org") is None:
            logic.get_action("organization_create")(dict(context), {"name": "test-org"})
        role = {"id": "test-org", "username": name, "role": "admin"}
        logic.get_action("organization_member_create")(dict(context), role)
        token = logic.get_action("api_token_create")(dict(context), {"user": name, "name": "push"})
        print(token["token"], flush=True)
    make_server("127.0.0.1", port, app).serve_forever()


if __name__ == "__main__":
    main()
