//! `GET /docs`: the interface, for people to read and to try. Swagger UI, from this binary alone.

use crate::call::Call;
use crate::problem::Problem;
use crate::respond::{self, Answer};
use crate::route::docs::Tag;
use crate::route::{Handler, Route};
use http::{HeaderValue, StatusCode, header};
use rookery_protocol::ErrorCode;
use std::future::ready;
use swagger_ui_redist::{SwaggerUi, SwaggerUiStaticFile};

/// What the page may load: only what this server gives. Swagger UI sets styles on its elements, and its
/// pictures are in its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// How long a browser keeps the files: they change with the binary, and a mebibyte is not fetched at
/// each look.
const KEEP: &str = "public, max-age=3600";

/// The page.
pub(crate) const PAGE: Route = Route::get("/docs", "docs", Handler::Public(|_| Box::pin(ready(Ok(page())))))
    .about(Tag::Documents, "Shows this description, to be tried out")
    .gives_as::<String>(200, "text/html");

/// What the page loads.
pub(crate) const FILE: Route =
    Route::get("/docs/{file}", "docsFile", Handler::Public(|call| Box::pin(ready(file(&call)))))
        .about(Tag::Documents, "Gives a script or a style sheet of that page")
        .gives_as::<String>(200, "text/javascript")
        .fails(&[ErrorCode::NotFound]);

fn page() -> Answer {
    let mut answer =
        respond::typed(StatusCode::OK, "text/html; charset=utf-8", include_str!("swagger/page.html"));
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}

fn file(call: &Call) -> Result<Answer, Problem> {
    let name: String = call.path("file")?;
    let (media_type, text) =
        named(&name).ok_or_else(|| Problem::new(ErrorCode::NotFound, "there is nothing at this path"))?;
    let mut answer = respond::typed(StatusCode::OK, media_type, text);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEEP));
    Ok(answer)
}

/// Returns the file of this name and its media type.
fn named(name: &str) -> Option<(&'static str, &'static [u8])> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let (media_type, wanted) = match name {
        "start.js" => return Some((SCRIPT, include_bytes!("swagger/start.js"))),
        "swagger-ui-bundle.js" => (SCRIPT, SwaggerUiStaticFile::Js),
        "swagger-ui.css" => ("text/css; charset=utf-8", SwaggerUiStaticFile::Css),
        _ => return None,
    };
    let (_, text) = SwaggerUi::static_files().iter().find(|(file, _)| *file == wanted)?;
    Some((media_type, *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_there_and_nothing_comes_from_elsewhere() {
        let page = include_str!("swagger/page.html");
        let targets = page.split(['"']).skip(1).step_by(2).filter_map(|text| text.strip_prefix("docs/"));
        let files: Vec<_> = targets.collect();
        assert_eq!(files, ["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]);
        for file in files {
            assert!(named(file).is_some_and(|(_, text)| !text.is_empty()), "{file}");
        }
        assert!(!page.contains("//"), "an address of another server");
        assert!(named("../Cargo.toml").is_none());
    }
}
