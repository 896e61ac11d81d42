//! The way from a request's method and path to its row of the table.

use crate::problem::Problem;
use crate::route::{Reach, Route};
use http::{HeaderValue, Method, StatusCode, header};
use rookery_protocol::ErrorCode;

/// Finds routes of one listener.
pub(crate) struct Router(matchit::Router<Vec<Row>>);

/// A route, and its place in the table.
type Row = (usize, &'static Route);

/// A route and what stands in the path for its names.
pub(crate) struct Found {
    pub(crate) route: &'static Route,
    /// Its place in the table of routes.
    pub(crate) index: usize,
    pub(crate) params: Vec<(String, String)>,
}

impl Router {
    /// Takes the rows that `listener` serves.
    ///
    /// # Panics
    /// When two paths of the table contradict each other, which its test excludes.
    pub(crate) fn new(routes: &'static [Route], listener: Reach) -> Self {
        let mut tree = matchit::Router::new();
        let mut paths: Vec<(&str, Vec<Row>)> = Vec::new();
        for (index, route) in routes.iter().enumerate().filter(|(_, route)| route.is_on(listener)) {
            match paths.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, methods)) => methods.push((index, route)),
                None => paths.push((route.path, vec![(index, route)])),
            }
        }
        for (path, methods) in paths {
            tree.insert(path, methods).expect("the table's paths do not contradict each other");
        }
        Self(tree)
    }

    /// Finds the route. `HEAD` is `GET` without its body, which hyper leaves out.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Found, Problem> {
        let found = self
            .0
            .at(path)
            .map_err(|_| Problem::new(ErrorCode::NotFound, "there is nothing at this path"))?;
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some(&(index, route)) = found.value.iter().find(|(_, route)| route.method == wanted) else {
            return Err(not_allowed(found.value));
        };
        let params = found.params.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        Ok(Found { route, index, params })
    }
}

fn not_allowed(there: &[Row]) -> Problem {
    let mut methods: Vec<&str> = there.iter().map(|(_, route)| route.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    let allow = HeaderValue::try_from(methods.join(", ")).expect("method names are a header value");
    Problem::new(ErrorCode::Unsupported, "this path has other methods")
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .header(header::ALLOW, allow)
}
