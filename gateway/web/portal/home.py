"""The first page, what is and is not accepted, what becomes of one's data, and how one wants to see it all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from gateway.web.portal.site import CONTRAST, ELDERLY, VIEW_COOKIE, seen_again
from gateway.web.texts import LANGUAGES

if TYPE_CHECKING:
    from gateway.web.portal.site import Site, Visit

_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Home:
    """The pages that need nothing but the city's rules."""

    site: Site

    def add(self, app: web.Application) -> None:
        """Add the addresses."""
        for method, path, handler in (
            ("GET", "/", self.home),
            ("GET", "/scope", self.scope),
            ("GET", "/privacy", self.privacy),
            ("POST", "/view", self.view),
            ("*", "/{nothing:.*}", self.nothing),
        ):
            self.site.add(app, method, path, handler)

    async def home(self, visit: Visit) -> web.StreamResponse:
        """Show what can be done here."""
        return self.site.page(visit, "home.html")

    async def scope(self, visit: Visit) -> web.StreamResponse:
        """Tell what is accepted, and for what is not, where to go (GB/T 44189 6.1.2)."""
        return self.site.page(visit, "scope.html")

    async def privacy(self, visit: Visit) -> web.StreamResponse:
        """Tell what becomes of one's data (PIPL 17)."""
        return self.site.page(visit, "privacy.html")

    async def nothing(self, visit: Visit) -> web.StreamResponse:
        """Tell a person that there is no such page, and a program in its own way; raises HTTPNotFound."""
        if "text/html" not in visit.request.headers.get(hdrs.ACCEPT, ""):
            return web.Response(status=404, text="404: Not Found\n")
        raise web.HTTPNotFound

    async def view(self, visit: Visit) -> web.StreamResponse:
        """Change how pages look, and go back to where it was wished for."""
        view, fields = visit.view, visit.fields
        if fields.get("lang") in LANGUAGES:
            view = replace(view, lang=fields["lang"])
        if ELDERLY in fields:
            view = replace(view, elderly=fields[ELDERLY] == "1")
        if CONTRAST in fields:
            view = replace(view, contrast=fields[CONTRAST] == "1")
        response = seen_again(_back(fields.get("back", "")))
        response.set_cookie(
            VIEW_COOKIE,
            str(view),
            max_age=_YEAR,
            httponly=True,
            samesite="Lax",
            secure=self.site.secure,
            path="/",
        )
        return response


def _back(path: str) -> str:
    """Return an address of ours and no other."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
