//! `SignedIn`: the person behind a request, by the cookie of their sign-in.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use contract::{Described, Operation};
use realtime::{SignInId, Visitor};
use sha2::{Digest, Sha256};
use shared::{ErrorCode, Millis};
use time::Duration;
use tracing::Span;
use tracing::field::display;

use crate::accounts::SIGN_IN_MS_MAX;
use crate::http::error::ApiError;
use crate::http::guard::client_ip::ClientIp;
use crate::http::guard::rates::network_of;
use crate::http::state::AppState;

/// The cookie without TLS, as the documents of the contract name it. The number is the port that the node listens on,
/// because to a browser all ports of a host share their cookies.
pub const COOKIE: &str = "duplex-3000";
/// The cookie under TLS. A browser takes a cookie with this prefix only from the host itself, and sends it to no other.
pub const COOKIE_UNDER_TLS: &str = "__Host-duplex";
/// The name of the cookie without TLS, before the port.
const COOKIE_PREFIX: &str = "duplex";

/// The extractor of a signed-in person; anybody else gets 401.
pub struct SignedIn(pub Visitor);

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<SignedIn, ApiError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Ok(from) = ClientIp::from_request_parts(parts, app).await;
        let (visitor, _) = find(app, &jar, from).await?.ok_or_else(|| {
            ApiError::new(
                ErrorCode::Unauthenticated,
                "sign in first: POST /api/me with a name, and keep its cookie",
            )
        })?;
        Ok(SignedIn(visitor))
    }
}

impl Described for SignedIn {
    fn describe(operation: &mut Operation<'_>) {
        operation.needs_sign_in();
    }
}

/// Finds the person behind the cookies, and the time of the sign-in's last renewal; `None` if nobody is signed in.
pub async fn find(
    app: &AppState,
    jar: &CookieJar,
    from: ClientIp,
) -> Result<Option<(Visitor, Millis)>, ApiError> {
    let Some(token) = token(app, jar) else { return Ok(None) };
    let sign_in = sign_in_id(token);
    let found = app.signed_in(sign_in).await?;
    Ok(found.map(|(identity, renewed_at)| {
        // Every log line of this request names the person from here on.
        Span::current().record("user", display(&identity.id));
        (Visitor { identity, sign_in, from: network_of(from.0) }, renewed_at)
    }))
}

/// Returns the token in the sign-in's cookie.
pub fn token<'a>(app: &AppState, jar: &'a CookieJar) -> Option<&'a str> {
    jar.get(&cookie_name(app)).map(Cookie::value)
}

/// Identifies a sign-in by its token.
pub fn sign_in_id(token: &str) -> SignInId {
    SignInId(Sha256::digest(token).into())
}

/// Makes the cookie that keeps a sign-in.
pub fn cookie(app: &AppState, token: String) -> Cookie<'static> {
    Cookie::build((cookie_name(app), token))
        .path("/")
        .secure(app.transport.is_secure())
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(Duration::milliseconds(SIGN_IN_MS_MAX))
        .build()
}

fn cookie_name(app: &AppState) -> Cow<'static, str> {
    if app.transport.is_secure() {
        COOKIE_UNDER_TLS.into()
    } else {
        format!("{COOKIE_PREFIX}-{}", app.port).into()
    }
}
