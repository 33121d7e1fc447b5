"""How the documentation is built: ``sphinx-build -W -n doc doc/_build``, or ``tox -e docs``."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
# Last, since there are names of others in it: the reader of imports, for the picture of the rooms.
sys.path.append(str(HERE.parent / "tests"))

import reactor  # noqa: E402

project = "Reactor"
author = copyright = "The Reactor developers"
release = version = reactor.__version__

# No intersphinx: the build asks no other site, so that it works anywhere and breaks only by what changed here.
extensions = ["sphinx.ext.autodoc", "interfacepages", "roomspicture"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Reactor {release}"
pygments_style = "default"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "show-inheritance": True}
add_module_names = False

# Signatures name what no page here describes: other people's modules, what is private, names that only type checkers
# know. What a page refers to, it names in full, so that a mistake there is still found.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(asyncio|builtins|collections|concurrent|contextvars|enum|io|logging|os|socket|selectors|ssl|theirs|twisted"
        r"|types|typing|zope)\..*",
    ),
    (r"py:.*", r"reactor\.defer\.[a-z]+\..*"),
    # The parts that the loop is put together from.
    (r"py:.*", r"reactor\.(aio|twisted)\.[a-z]+\..*"),
    (r"py:.*", r"(.*\.)?_[A-Za-z].*"),
    (r"py:.*", r"[^.]+|P\.k?w?args"),
]

# A bare name in a signature may be that of two classes, `Request` of SOCKS and of HTTP, say; pages name them in full.
suppress_warnings = ["ref.python"]

# Private classes that programs get from the reactor, and the interface that says what they may expect.
PROMISES = {
    "Connector": "IConnector",
    "DelayedCall": "IDelayedCall",
    "Port": "IListeningPort",
    "TCPTransport": "ITCPTransport",
}


def resolveBareName(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element) -> nodes.Node | None:
    """Find ``Failure`` where ``reactor.failure.Failure`` is meant: what is imported for types only is not there."""
    if node["refdomain"] != "py" or "." in node["reftarget"]:
        return None
    domain = env.domains.python_domain
    target = "." + PROMISES.get(node["reftarget"], node["reftarget"])
    for name, entry in domain.objects.items():
        if name.endswith(target) and entry.objtype in ("class", "exception"):
            return domain.resolve_xref(env, node["refdoc"], app.builder, "class", name, node, text)
    return None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", resolveBareName)
