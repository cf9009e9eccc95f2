"""Log in by a provider: the way there, and back."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.web import login_provider
from appliance.web.attempts import counted
from appliance.web.errors import problem_of
from appliance.web.pages.entrance import ask_for_code, enter, inner_address, login_form, note_refusal, with_headers
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import FLOW_COOKIE, address_of, cookie_of, delete_cookie, set_cookie

router = APIRouter(prefix="/login/provider", include_in_schema=False)


@router.get("")
def go(request: Request, panel: PanelDependency, next: str = "/", again: str = "") -> Response:
    """Lead to the provider."""
    address = inner_address(next)
    try:
        provider, here = login_provider.demand_provider(panel), login_provider.panel_address(panel)
        if f"{request.url.scheme}://{request.url.netloc}" != here:  # the provider leads back to the panel's own address
            return RedirectResponse(f"{here}/login/provider?next={quote(address, safe='')}&again={quote(again[:3])}", 303)
        to, flow = login_provider.begin(panel, provider, address=address, is_anew=bool(again))
    except login_provider.REFUSALS as error:
        return _refused(request, panel, error, address)
    response = RedirectResponse(to, 303)
    sealed, life = login_provider.seal(panel, flow), login_provider.LIFE_SECONDS
    set_cookie(request, response, FLOW_COOKIE, sealed, max_age_seconds=life, same_site="lax")
    return response


@router.get("/callback")
def come_back(request: Request, panel: PanelDependency) -> Response:
    """Log in whom the provider has let in. Only a page of this panel itself brings the strict cookie along, so one leads on from here."""
    said, address = dict(request.query_params), "/"
    try:
        with counted(panel, address_of(request)):
            flow = login_provider.opened(panel, cookie_of(request, FLOW_COOKIE), state=said.get("state", ""))
            address = flow.address
            arrival = login_provider.arrive(panel, flow, said)
    except login_provider.REFUSALS as error:
        return _refused(request, panel, error, address)
    if panel.appliance.store.second_factors.find(arrival.user.name):
        led = ask_for_code(request, panel, arrival.user, address)
    else:
        led = enter(request, panel, arrival.user, address, "", provider=flow.issuer, is_confirmed=arrival.is_fresh)
    page = panel.pages.bare("login_bounce.html", address=led.headers["location"])
    page.raw_headers.extend(header for header in led.raw_headers if header[0] == b"set-cookie")
    delete_cookie(request, page, FLOW_COOKIE)
    return page


def _refused(request: Request, panel: Panel, error: Exception, address: str) -> Response:
    note_refusal(request, panel, "", error, at="login provider", why=str(error)[:200])
    page = login_form(request, panel, name="", address=address, problem=str(error), status=problem_of(error).status)
    delete_cookie(request, page, FLOW_COOKIE)
    return with_headers(error, page)
