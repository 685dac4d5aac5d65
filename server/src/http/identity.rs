//! Who is asking: a cookie that leads to a person, and the three verbs of `/api/me`.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use sha2::{Digest, Sha256};
use shared::{DisplayName, ErrorCode, Millis, NewIdentity};
use time::Duration;
use tracing::Span;
use tracing::field::display;

use crate::http::{ApiError, AppState, Body, ClientIp, Refusal};
use crate::people::TokenHash;
use crate::random::random_text;
use crate::realtime::{SignIn, Visitor};

const COOKIE: &str = "duplex";
/// Under TLS: a browser takes a cookie of such a name only from this very host, and sends it to no other.
const COOKIE_UNDER_TLS: &str = "__Host-duplex";
/// 22 of 62 letters and digits: 131 bits.
const TOKEN_CHARS: usize = 22;
const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
/// Browsers keep no cookie for longer.
const MAX_AGE_DAYS: i64 = 400;

/// Anyone who is signed in; everybody else gets 401.
impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Visitor, ApiError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let (visitor, _) = find(app, &jar).await?.ok_or_else(|| {
            ApiError::new(
                ErrorCode::Unauthenticated,
                "sign in first: POST /api/me with a name, and keep its cookie",
            )
        })?;
        Ok(visitor)
    }
}

/// GET: who I am; 204 when nobody. Renews a sign-in that is a day old.
pub async fn me(State(app): State<AppState>, jar: CookieJar) -> Result<Response, ApiError> {
    let Some((visitor, renewed_at)) = find(&app, &jar).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let now = (app.clock)();
    if now - renewed_at < DAY_MS {
        return Ok(Json(visitor.identity).into_response());
    }
    if let Err(error) = app.people.renew(visitor.sign_in.0, now).await {
        // There will be another day; who cannot be written down is signed in all the same.
        tracing::warn!(%error, "a sign-in could not be renewed");
        return Ok(Json(visitor.identity).into_response());
    }
    let token = jar.get(cookie_name(&app)).map(Cookie::value).unwrap_or_default().to_owned();
    Ok((jar.add(cookie(&app, token)), Json(visitor.identity)).into_response())
}

/// POST: makes a guest (201), or renames whoever asks (200).
pub async fn name_me(
    State(app): State<AppState>,
    ClientIp(from): ClientIp,
    jar: CookieJar,
    caller: Caller,
    Body(new): Body<NewIdentity>,
) -> Result<Response, ApiError> {
    let name = DisplayName::parse(&new.name).map_err(|error| ApiError::field("name", error))?;
    if let Caller::Known(visitor) = caller {
        app.people.rename(&visitor.identity.id, name.clone()).await?;
        app.node.rename(&visitor.identity.id, &name);
        return Ok(Json(shared::Identity { name, ..visitor.identity }).into_response());
    }
    let token = random_text(TOKEN_CHARS);
    let identity = app.people.make_guest(name, hash(&token), (app.clock)()).await?;
    Span::current().record("user", display(&identity.id));
    tracing::info!(%from, "a guest came in");
    Ok((StatusCode::CREATED, jar.add(cookie(&app, token)), Json(identity)).into_response())
}

/// DELETE: signs out. The token is worth nothing from now on, and the sockets it opened are closed.
pub async fn sign_out(State(app): State<AppState>, jar: CookieJar) -> Result<Response, ApiError> {
    if let Some(token) = jar.get(cookie_name(&app)) {
        let hash = hash(token.value());
        app.people.end(hash).await?;
        app.node.end_sign_in(SignIn(hash));
    }
    let mut gone = cookie(&app, String::new());
    gone.make_removal();
    Ok((StatusCode::NO_CONTENT, jar.add(gone)).into_response())
}

/// Whoever names themselves: known already, or a guest whose address may still make one.
pub enum Caller {
    /// Signed in.
    Known(Visitor),
    /// Not yet.
    Guest,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Caller, ApiError> {
        if let Some((visitor, _)) = find(app, &CookieJar::from_headers(&parts.headers)).await? {
            return Ok(Caller::Known(visitor));
        }
        let Ok(ClientIp(from)) = ClientIp::from_request_parts(parts, app).await;
        app.rates.guest(from).inspect_err(|_| app.meters.refused(Refusal::AddressGuests))?;
        Ok(Caller::Guest)
    }
}

async fn find(app: &AppState, jar: &CookieJar) -> Result<Option<(Visitor, Millis)>, ApiError> {
    let Some(token) = jar.get(cookie_name(app)) else { return Ok(None) };
    let hash = hash(token.value());
    let found = app.people.find(hash).await?;
    Ok(found.map(|(identity, renewed_at)| {
        // Every line of this request names them from here on.
        Span::current().record("user", display(&identity.id));
        (Visitor { identity, sign_in: SignIn(hash) }, renewed_at)
    }))
}

fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

fn cookie_name(app: &AppState) -> &'static str {
    if app.transport.is_secure() { COOKIE_UNDER_TLS } else { COOKIE }
}

fn cookie(app: &AppState, token: String) -> Cookie<'static> {
    Cookie::build((cookie_name(app), token))
        .path("/")
        .secure(app.transport.is_secure())
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(Duration::days(MAX_AGE_DAYS))
        .build()
}
