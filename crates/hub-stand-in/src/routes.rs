//! From a request to an answer: who answers for which addresses.

use crate::access::{portrait, refusal, who};
use crate::http::{Request, Response};
use crate::state::State;
use crate::{control, info, resolve, upload};

/// An answer, where the address is theirs.
type Route = fn(&State, &Call<'_>) -> Option<Response>;

/// Asked in turn.
const ROUTES: &[Route] = &[whoami, upload::answer, info::answer, resolve::answer];

/// A request taken apart.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    /// The steps of the path, decoded.
    pub(crate) steps: Vec<String>,
}

impl Call<'_> {
    /// The steps, to match against.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.steps.iter().map(String::as_str).collect()
    }

    pub(crate) fn reads(&self) -> bool {
        matches!(self.request.method.as_str(), "GET" | "HEAD")
    }
}

/// What a test asks of the stand-in itself: not part of the Hub.
pub(crate) fn is_control(request: &Request) -> bool {
    request.target.starts_with(control::PREFIX)
}

pub(crate) fn answer(state: &State, request: &Request, of_store: bool) -> Response {
    let call = Call { request, steps: request.steps() };
    if of_store {
        return if call.reads() { resolve::from_store(state, &call) } else { upload::to_store(state, &call) };
    }
    if is_control(request) {
        return control::answer(state, &call);
    }
    // A token that nobody has is refused wherever it is shown, also where none is needed.
    if let Err(unknown) = who(&state.access(), request) {
        return *unknown;
    }
    let answered = ROUTES.iter().find_map(|route| route(state, &call));
    answered.unwrap_or_else(|| refusal(404, None, "Sorry, we can't find the page you are looking for."))
}

fn whoami(state: &State, call: &Call<'_>) -> Option<Response> {
    if call.path() != ["api", "whoami-v2"] || !call.reads() {
        return None;
    }
    let access = state.access();
    Some(match who(&access, call.request) {
        Ok(Some(user)) => Response::json(200, &portrait(user)),
        Ok(None) => refusal(401, None, "Invalid username or password."),
        Err(unknown) => *unknown,
    })
}
